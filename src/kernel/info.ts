import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PROTOCOL_VERSION } from './protocol/wire.ts';

const packageSchema = z.looseObject({ version: z.string() });

function versionOf(...path: string[]): string {
  const file = join(import.meta.dirname, '..', '..', ...path, 'package.json');
  return packageSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}

/** The name under which the kernel is installed, and notebooks name it. */
export const KERNEL_NAME = 'llm-lab';
export const DISPLAY_NAME = 'TypeScript (LLM Lab)';

/** What the kernel says of itself. */
export function kernelInfo(): Record<string, unknown> {
  const version = versionOf();
  const typescript = versionOf('node_modules', 'typescript6');
  return {
    status: 'ok',
    protocol_version: PROTOCOL_VERSION,
    implementation: KERNEL_NAME,
    implementation_version: version,
    language_info: {
      name: 'typescript',
      version: typescript,
      mimetype: 'text/typescript',
      file_extension: '.ts',
      codemirror_mode: { name: 'javascript', typescript: true },
      pygments_lexer: 'typescript',
      nbconvert_exporter: 'script',
    },
    banner: `LLM Lab ${version}: TypeScript ${typescript} on Node ${process.version}`,
    debugger: false,
    help_links: [
      { text: 'TypeScript', url: 'https://www.typescriptlang.org/docs/' },
      { text: 'Node.js', url: 'https://nodejs.org/docs/latest-v24.x/api/' },
      { text: 'TensorFlow.js', url: 'https://js.tensorflow.org/api/latest/' },
      { text: 'Vega-Lite', url: 'https://vega.github.io/vega-lite/docs/' },
    ],
  };
}
