/**
 * `npm run build`: JavaScript and declarations in dist/, and notebooks/node_modules/llm-lab in front of them. The lab
 * itself runs from its sources; the stock `tslab` kernel, which resolves like Node 10 and reads declarations, runs from
 * these. They stand beside the notebooks alone, so that nothing else takes a stale build for the library.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { extname, join } from 'node:path';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..', '..');
const DIST = join(ROOT, 'dist');
/** Folders of data that modules find by their place beside src/. */
const DATA = ['datasets', 'notebooks'];

const manifestSchema = z.looseObject({ name: z.string(), version: z.string() });

function compile(): void {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = spawnSync(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.build.json')], {
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`tsc found errors:\n${run.stdout}${run.stderr}`);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
}

/** The compiler leaves the extensions in declarations as they are in the sources. */
function mendDeclarations(): void {
  for (const name of filesBelow(DIST).filter((one) => one.endsWith('.d.ts'))) {
    const path = join(DIST, name);
    const text = readFileSync(path, 'utf8');
    const mended = text.replace(/(from |import\()(['"])(\.{1,2}\/[^'"]*?)\.ts\2/g, '$1$2$3.js$2');
    if (mended !== text) writeFileSync(path, mended);
  }
}

/** What is not TypeScript but belongs to the library: WebAssembly, tables. */
function copyAssets(): void {
  for (const folder of ['src', 'grader']) {
    for (const name of filesBelow(join(ROOT, folder))) {
      if (extname(name) === '.ts' && !name.endsWith('.d.ts')) continue;
      const target = join(DIST, folder, name);
      mkdirSync(join(target, '..'), { recursive: true });
      cpSync(join(ROOT, folder, name), target);
    }
  }
  for (const folder of DATA) symlinkSync(join('..', folder), join(DIST, folder), 'junction');
}

function writeEntry(): void {
  writeFileSync(join(DIST, 'index.js'), "export * from './src/index.js';\n");
  writeFileSync(join(DIST, 'index.d.ts'), "export * from './src/index.js';\n");
}

/** The package as any resolver finds it: `main` and `types` for old ones, `exports` for new ones. */
function link(): void {
  const { name, version } = manifestSchema.parse(
    JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')),
  );
  const folder = join(ROOT, 'notebooks', 'node_modules', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const manifest = {
    name,
    version,
    type: 'module',
    main: './dist/index.js',
    types: './dist/index.d.ts',
    typesVersions: { '*': { 'dist/*': ['dist/*'], '*': ['dist/src/*/index.d.ts'] } },
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      './package.json': './package.json',
      './*': { types: './dist/src/*/index.d.ts', default: './dist/src/*/index.js' },
    },
  };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  symlinkSync(join('..', '..', '..', 'dist'), join(folder, 'dist'), 'junction');
}

/** Builds everything anew. @throws if the sources have type errors */
export function build(): void {
  rmSync(DIST, { recursive: true, force: true });
  compile();
  mendDeclarations();
  copyAssets();
  writeEntry();
  link();
}

if (import.meta.main) build();
