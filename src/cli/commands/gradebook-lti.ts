/** `lab gradebook lti`, `passback`, `pull-roster`: learning platforms (Canvas, Moodle, ...) over LTI 1.3. */
import { Command, Option } from 'commander';
import { InputError } from '../../errors.ts';
import { assignmentOf, number } from '../../workshop/gradebook/arguments.ts';
import { connectLink, linksOf } from '../../workshop/lti/links.ts';
import { type PassedMark, passBackAssignment } from '../../workshop/lti/passback.ts';
import {
  allPlatforms,
  type Platform,
  type Registration,
  registerPlatform,
  removePlatform,
} from '../../workshop/lti/platforms.ts';
import { pullRoster } from '../../workshop/lti/pull-roster.ts';
import { PlatformServices } from '../../workshop/lti/services.ts';
import { toolAddresses } from '../../workshop/lti/tool-configuration.ts';
import type { Store } from '../../workshop/store/open.ts';
import { type Common, subcommand, withRoom, withStore } from './gradebook-common.ts';

export function addLtiCommands(book: Command): void {
  subcommand(
    book,
    'passback',
    'send the marks of a chapter to the learning platforms whose links lead to it; each mark once, and again when it changes',
    'passback 03-bert',
  )
    .argument('<chapter>', 'for example 03-bert')
    .option('--json', 'print what became of each mark as JSON')
    .action(passback);
  subcommand(
    book,
    'pull-roster',
    'take the learners of the courses whose links lead to a room into it; nobody is removed',
    'pull-roster --room 7K3M-9QXA',
  ).action(pull);

  const lti = new Command('lti')
    .summary('learning platforms: register them, see where their links lead')
    .description(
      'Registers learning platforms (Canvas, Moodle, ...) over LTI 1.3, and shows where their links lead.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  npx lab gradebook lti urls https://lab.example.org\n' +
        '  npx lab gradebook lti add --moodle https://moodle.example.org --client-id Q1w2E3 --deployment 2',
    );
  book.addCommand(lti);
  subcommand(
    lti,
    'urls',
    'print what a platform must be told of this tool',
    'lti urls https://lab.example.org',
  )
    .argument('<address>', 'the public address of lab workshop, as given to its --address')
    .action(urls);
  subcommand(
    lti,
    'add',
    'register a platform, change its addresses, or add a deployment',
    'lti add --moodle https://moodle.example.org --client-id Q1w2E3 --deployment 2',
  )
    .requiredOption('--client-id <id>', 'what the platform calls this tool')
    .requiredOption('--deployment <id...>', 'deployment id; several may be given')
    .option('--name <name>', 'what it is called here; the host of its issuer otherwise')
    .addOption(
      new Option('--canvas [host]', 'Canvas in the cloud, or on a host of its own').conflicts('moodle'),
    )
    .option('--moodle <url>', 'a Moodle site: all its addresses follow from this one')
    .option('--issuer <issuer>', 'for other platforms: issuer, as it stands in their tokens')
    .option('--auth <url>', 'for other platforms: authentication request URL')
    .option('--token <url>', 'for other platforms: access token URL')
    .option('--jwks <url>', 'for other platforms: public keyset URL')
    .option('--audience <text>', 'who access requests are for, where it is not the access token URL')
    .action(add);
  subcommand(lti, 'list', 'list the platforms that are registered', 'lti list').action(list);
  subcommand(lti, 'remove', 'forget a platform and its links; learners and marks stay', 'lti remove 1')
    .argument('<platform>', 'its number in lti list', number)
    .action(remove);
  subcommand(
    lti,
    'links',
    'list the links that were opened on platforms, and where they lead',
    'lti links',
  ).action(links);
  subcommand(lti, 'connect', 'say which chapter a link leads to', 'lti connect 1 03-bert --room 7K3M-9QXA')
    .argument('<link>', 'its number in lti links', number)
    .argument('<chapter>', 'for example 03-bert')
    .action(connect);
}

function urls(address: string): void {
  const shown = address.replace(/\/+$/, '');
  if (!/^https:\/\/[^/]+/.test(shown))
    throw new InputError(`platforms reach a tool over TLS only: expected https://…, got '${address}'`);
  const { login, launch, keys, configuration } = toolAddresses(shown);
  console.log(`login initiation URL   ${login}`);
  console.log(`redirect URI, tool URL ${launch}`);
  console.log(`public keyset URL      ${keys}`);
  console.log(`JSON for Canvas        ${configuration}`);
}

interface Add extends Common {
  clientId: string;
  deployment: string[];
  name?: string;
  canvas?: string | true;
  moodle?: string;
  issuer?: string;
  auth?: string;
  token?: string;
  jwks?: string;
  audience?: string;
}

type Addresses = Pick<Registration, 'issuer' | 'authUrl' | 'tokenUrl' | 'jwksUrl'>;

/** Canvas documentation, “LTI Advantage” (issuer and domains of hosted Canvas); Moodle, mod/lti. What is given by itself goes before. */
function addressesOf({ canvas, moodle, issuer, auth, token, jwks }: Add): Partial<Addresses> {
  const own = {
    ...(issuer === undefined ? {} : { issuer }),
    ...(auth === undefined ? {} : { authUrl: auth }),
    ...(token === undefined ? {} : { tokenUrl: token }),
    ...(jwks === undefined ? {} : { jwksUrl: jwks }),
  };
  if (moodle !== undefined) {
    const site = moodle.replace(/\/+$/, '');
    const at = (path: string): string => `${site}/mod/lti/${path}.php`;
    return { issuer: site, authUrl: at('auth'), tokenUrl: at('token'), jwksUrl: at('certs'), ...own };
  }
  if (canvas !== undefined) {
    const site = canvas === true ? 'https://sso.canvaslms.com' : `https://${canvas}`;
    return {
      issuer: 'https://canvas.instructure.com',
      authUrl: `${site}/api/lti/authorize_redirect`,
      tokenUrl: `${site}/login/oauth2/token`,
      jwksUrl: `${site}/api/lti/security/jwks`,
      ...own,
    };
  }
  return own;
}

async function add(options: Add): Promise<void> {
  const { issuer, authUrl, tokenUrl, jwksUrl } = addressesOf(options);
  if (issuer === undefined || authUrl === undefined || tokenUrl === undefined || jwksUrl === undefined) {
    throw new InputError('give --canvas, --moodle URL, or all of --issuer, --auth, --token and --jwks');
  }
  const { clientId, deployment, name, audience, by } = options;
  const common = {
    name: name ?? hostOf(issuer),
    issuer,
    clientId,
    authUrl,
    tokenUrl,
    jwksUrl,
    ...(audience === undefined ? {} : { audience }),
  };
  await withStore(options, async (store) => {
    let platform: Platform | undefined;
    for (const deploymentId of deployment) {
      platform = await registerPlatform(store, { ...common, deploymentId }, by);
    }
    console.log(
      `${platform?.name} is platform ${platform?.id}; what to tell it: npx lab gradebook lti urls ADDRESS`,
    );
  });
}

const hostOf = (issuer: string): string => (URL.canParse(issuer) ? new URL(issuer).host : issuer);

async function list(options: Common): Promise<void> {
  const all = await withStore(options, allPlatforms);
  if (all.length === 0) console.log('no platform is registered; lab gradebook lti add does it');
  for (const { id, name, issuer, clientId, deployments } of all) {
    console.log(
      `${id}  ${name}  issuer ${issuer}  client id ${clientId}  deployments ${deployments.join(', ')}`,
    );
  }
}

async function remove(id: number, options: Common): Promise<void> {
  const { name } = await withStore(options, (store) => removePlatform(store, id, options.by));
  console.log(`${name} is forgotten`);
}

async function links(options: Common): Promise<void> {
  const all = await withStore(options, (store) => linksOf(store));
  if (all.length === 0) console.log('no link was opened yet; open one on the platform, as its instructor');
  for (const { id, platform, title, room, chapter } of all) {
    const where = chapter === null ? 'leads nowhere yet' : `${chapter} in ${room}`;
    console.log(`${id}  ${platform}  ${title ?? 'without a title'}  ${where}`);
  }
}

async function connect(linkId: number, chapter: string, options: Common): Promise<void> {
  await withRoom(options, (store, { id: roomId }) =>
    connectLink(store, { linkId, roomId, chapter, by: options.by }),
  );
}

const services =
  (store: Store) =>
  (platform: Platform): PlatformServices =>
    new PlatformServices(store, platform);

async function passback(chapter: string, options: Common & { json?: boolean }): Promise<void> {
  const results = await withRoom(options, async (store, room) => {
    const { id } = await assignmentOf(store, room, chapter);
    return passBackAssignment(store, id, services(store), options.by);
  });
  if (results.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1;
  if (options.json === true) return console.log(JSON.stringify(results, null, 2));
  for (const result of results) console.log(`${result.name}: ${wordsOf(result)}`);
  const count = (wanted: PassedMark['outcome']) => results.filter(({ outcome }) => outcome === wanted).length;
  console.log(
    `${count('sent')} sent, ${count('unchanged')} as they were, ${count('unmarked')} without a mark, ${count('failed')} failed`,
  );
}

function wordsOf({ outcome, points, outOf, why }: PassedMark): string {
  if (outcome === 'failed') return `not sent: ${why}`;
  if (outcome === 'unmarked') return 'no mark yet';
  return `${points} of ${outOf}${outcome === 'sent' ? '' : ', as before'}`;
}

async function pull(options: Common): Promise<void> {
  const { added, matched, unchanged, passedOver } = await withRoom(options, (store, room) =>
    pullRoster(store, room.id, services(store), options.by),
  );
  console.log(
    `${added} added, ${matched} known by their e-mail, ${unchanged} as they were, ${passedOver} no learners of the course`,
  );
}
