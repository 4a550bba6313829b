/**
 * What is used of `@huggingface/tokenizers` 0.2. The package's own declarations import without file extensions, which
 * an ES module may not do, so that TypeScript finds none of them.
 */
declare module '@huggingface/tokenizers' {
  export class Tokenizer {
    constructor(tokenizer: object, config: object);
    /** The tokens of some pieces. */
    model(pieces: string[]): string[];
    decode(ids: number[], options: { clean_up_tokenization_spaces: boolean }): string;
    token_to_id(token: string): number | undefined;
    id_to_token(id: number): string | undefined;
  }
  export class SplitPreTokenizer {
    constructor(description: object);
    /** The translated expression, or null where the package cannot read it. */
    readonly pattern: RegExp | null;
  }
}
