/** Numbers and markup in the texts of charts and figures. */

/** A number with at most four digits that say something: 0.01234, 12.3, 12300. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return String(Number(value.toPrecision(4)));
}

/** Text for HTML and SVG. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
