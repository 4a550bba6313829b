/** How a platform is told of this tool: the addresses to copy, and Canvas's JSON, which holds them all. */
import { SCOPES } from './services.ts';

const NAME = 'LLM Lab';
const DESCRIPTION = 'Build language models piece by piece, in TypeScript notebooks.';

export interface ToolAddresses {
  readonly login: string;
  readonly launch: string;
  readonly keys: string;
  readonly configuration: string;
}

/** @param address this server as browsers reach it, without a slash at its end */
export function toolAddresses(address: string): ToolAddresses {
  const at = (path: string): string => `${address}/lti/${path}`;
  return { login: at('login'), launch: at('launch'), keys: at('keys'), configuration: at('config.json') };
}

/**
 * The JSON of a Canvas LTI key. Assignments and links of modules open it; neither needs a right beyond marks and members.
 * Source: Canvas documentation, “Configuring LTI Advantage tools”.
 */
export function toolConfiguration(address: string): object {
  const { login, launch, keys } = toolAddresses(address);
  const placement = (name: string) => ({
    placement: name,
    message_type: 'LtiResourceLinkRequest',
    target_link_uri: launch,
    text: NAME,
  });
  return {
    title: NAME,
    description: DESCRIPTION,
    oidc_initiation_url: login,
    target_link_uri: launch,
    public_jwk_url: keys,
    scopes: Object.values(SCOPES),
    extensions: [
      {
        platform: 'canvas.instructure.com',
        domain: new URL(address).host,
        tool_id: 'llm-lab',
        // Names and e-mails: so that marks stand beside the right people.
        privacy_level: 'public',
        settings: { text: NAME, placements: ['assignment_selection', 'link_selection'].map(placement) },
      },
    ],
    custom_fields: {},
  };
}
