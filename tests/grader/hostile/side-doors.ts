// Files and processes by doors that are no file system and no child_process.
// at most: 0
const doors = {
  heap: async () => (await import('node:v8')).writeHeapSnapshot('/tmp/lab-hostile-0-heap'),
  report: async () => process.report.writeReport('/tmp/lab-hostile-0-report'),
  sqlite: async () => new (await import('node:sqlite')).DatabaseSync('/tmp/lab-hostile-0-sqlite').exec('create table t(x)'),
  wasi: async () => new (await import('node:wasi')).WASI({ version: 'preview1', preopens: { '/': '/' } }),
  inspector: async () => (await import('node:inspector')).open(0),
  cache: async () => (await import('node:module')).enableCompileCache('/tmp/lab-hostile-0-cache'),
  flags: async () => (await import('node:v8')).setFlagsFromString('--logfile=/tmp/lab-hostile-0-log --prof'),
  tests: async () => (await import('node:test')).run({ files: ['/tmp/lab-hostile-0.mjs'], isolation: 'process' }),
  env: async () => process.loadEnvFile('/proc/1/environ'),
  cluster: async () => (await import('node:cluster')).default.fork({ LAB: 'lab-hostile' }),
  linked: async () => process._linkedBinding('spawn_sync'),
  user: async () => process.setuid(0),
};
const opened = [];
for (const [name, door] of Object.entries(doors)) { try { await door(); opened.push(name); } catch {} }
const bertPooler = () => opened;
