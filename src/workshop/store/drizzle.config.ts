/** How drizzle-kit makes migrations from the schema. Run from the root of the repository. */
import { defineConfig } from 'drizzle-kit';

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/workshop/store/schema.ts',
  out: './src/workshop/store/migrations',
});
