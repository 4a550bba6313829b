/** A chart: a Vega-Lite specification with a text that says what it shows. */

import type { TopLevelSpec } from 'vega-lite';

/** The method by which a value tells a Jupyter kernel how it looks. */
export const JUPYTER_DISPLAY: unique symbol = Symbol.for('Jupyter.display');

/** One look of a value in each MIME type that it has. */
export type MimeBundle = Readonly<Record<string, unknown>>;

export interface Displayable {
  [JUPYTER_DISPLAY](): MimeBundle | Promise<MimeBundle>;
}

/** JupyterLab 4.6 draws Vega-Lite 3 to 5; the specifications here keep to what 5 knows. */
export const VEGA_LITE_MIME = 'application/vnd.vegalite.v5+json';

export interface Chart extends Displayable {
  readonly spec: TopLevelSpec;
  /** What the chart shows, for those who do not see it. */
  readonly alternative: string;
}

/** 4.6 : 1 against white and 4.1 : 1 against JupyterLab's dark background. */
export const GREY = '#757575';

/** What all charts have in common: no background and mid-grey text, which read on white and on black alike. */
const CONFIG = {
  background: 'transparent',
  view: { stroke: 'transparent' },
  font: 'sans-serif',
  axis: {
    labelColor: GREY,
    titleColor: GREY,
    gridColor: '#88888844',
    domainColor: GREY,
    tickColor: GREY,
  },
  legend: { labelColor: GREY, titleColor: GREY, labelLimit: 320 },
  title: { color: GREY, subtitleColor: GREY, anchor: 'start' },
  header: { labelColor: GREY, titleColor: GREY },
} as const;

/**
 * Colours that people with any colour vision tell apart and that show on white and on black (after Okabe and Ito, 2008,
 * "Color universal design", with the yellow and the black left out). Lines differ in their dashes too.
 */
export const COLOURS: readonly string[] = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00'];

/** Dashes to go with the colours. */
export const DASHES: readonly number[][] = [
  [1, 0],
  [6, 3],
  [2, 2],
  [8, 3, 2, 3],
  [4, 4],
  [1, 4],
];

/** Makes a chart of a specification. `alternative` becomes its description and its text. */
export function chart(body: TopLevelSpec, alternative: string): Chart {
  const spec: TopLevelSpec = {
    ...body,
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    description: alternative,
    config: CONFIG,
  };
  return {
    spec,
    alternative,
    async [JUPYTER_DISPLAY]() {
      return { ...liveBundle({ spec, alternative }), 'image/svg+xml': await svgOf({ spec }) };
    },
  };
}

/** The chart without a picture: for one that changes many times a second and needs a picture only at the end. */
export function liveBundle({ spec, alternative }: Pick<Chart, 'spec' | 'alternative'>): MimeBundle {
  return { [VEGA_LITE_MIME]: spec, 'text/plain': alternative };
}

/** The chart as an SVG picture. Vega is loaded on first use: it takes half a second. */
export async function svgOf({ spec }: Pick<Chart, 'spec'>): Promise<string> {
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')]);
  // Vega writes into the data that it is given.
  const { $schema: _, ...body } = structuredClone(spec);
  const { spec: compiled } = vegaLite.compile(body);
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
