/** What notebooks run on where it is installed. */
import { describe, it } from 'vitest';
import { probeBackends, startBackend } from '../../src/backends/index.ts';
import { proveEverything } from './proof.ts';

const found = (await probeBackends()).find(({ name }) => name === 'tensorflow');

if (found?.available === true) proveEverything('tensorflow', () => startBackend('tensorflow'));
else {
  describe('every exercise judges rightly on tensorflow', () => {
    it('is not proved here', (context) => {
      context.skip('no tensorflow backend: npx lab backend install tensorflow');
    });
  });
}
