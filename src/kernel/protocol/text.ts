/** Jupyter counts the characters of a cursor in Unicode code points, JavaScript in UTF-16 units. */

/** The UTF-16 offset of a code-point offset; offsets past the end are the end. */
export function fromCodePoints(text: string, codePoints: number): number {
  let units = 0;
  let count = 0;
  for (const character of text) {
    if (count >= codePoints) break;
    units += character.length;
    count += 1;
  }
  return units;
}

/** The code-point offset of a UTF-16 offset. */
export function toCodePoints(text: string, units: number): number {
  return [...text.slice(0, units)].length;
}
