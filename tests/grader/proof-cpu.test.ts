/** What judges in `lab grade`. */
import { startJudgeBackend } from '../../grader/backend.ts';
import { proveEverything } from './proof.ts';

proveEverything('cpu', startJudgeBackend);
