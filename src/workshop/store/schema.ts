/** All tables. After a change: `node node_modules/drizzle-kit/bin.cjs generate --config src/workshop/store/drizzle.config.ts`. */
export * from './tables/columns.ts';
export * from './tables/grades.ts';
export * from './tables/lti.ts';
export * from './tables/queue.ts';
export * from './tables/rooms.ts';
