import type { TopLevelSpec } from 'vega-lite';
import { svgOf, VEGA_LITE_MIME } from '../../plots/chart.ts';
import type { MimeBundle } from './publish.ts';

function isVegaLite(value: object): value is TopLevelSpec {
  const schema: unknown = Reflect.get(value, '$schema');
  return typeof schema === 'string' && /vega-lite\/v\d/.test(schema);
}

/** A Vega-Lite specification as a chart, with an image for where nothing draws it; undefined for anything else. */
export async function chartDisplay(value: object): Promise<MimeBundle | undefined> {
  if (!isVegaLite(value)) return undefined;
  const text = 'a Vega-Lite chart';
  try {
    const bundle = { [VEGA_LITE_MIME]: value, 'image/svg+xml': await svgOf({ spec: value }) };
    return { ...bundle, 'text/plain': value.description ?? text };
  } catch (error) {
    // what does not compile here (data from an address, say) may still be drawn by the front end
    return { [VEGA_LITE_MIME]: value, 'text/plain': `${text} (no picture of it: ${String(error)})` };
  }
}
