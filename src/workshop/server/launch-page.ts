/** The page that a platform shows in its frame: cookies of ours do not reach a frame of another site, so it leads to a window of its own. */

import { escapeMarkup } from '../../plots/text.ts';

export interface LaunchPage {
  readonly title: string;
  readonly text: string;
  /** Opened in a new window. */
  readonly link?: { readonly href: string; readonly label: string };
}

/** A frame of any site may show it: it holds nothing but a link that its reader was given just now. */
export const LAUNCH_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

export function launchPage({ title, text, link }: LaunchPage): string {
  const button =
    link === undefined
      ? ''
      : `<p><a href="${escapeMarkup(link.href)}" target="_blank" rel="noopener noreferrer">${escapeMarkup(link.label)}</a></p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeMarkup(title)}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; }
a { display: inline-block; padding: .6rem 1.2rem; border-radius: 6px; background: #0072b2; color: #fff; text-decoration: none; font-weight: 600; }
a:focus-visible { outline: 3px solid #56b4e9; outline-offset: 2px; }
</style>
</head>
<body><h1>${escapeMarkup(title)}</h1><p>${escapeMarkup(text)}</p>${button}</body>
</html>
`;
}
