/**
 * `node start-learner.ts …`: what a hub runs for a learner. Puts the course into their folder, joins the room, and becomes
 * the learner's own Jupyter server. Whatever goes wrong before is said in the server's log and keeps nobody out.
 */

import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { courseSettings, settingArguments } from '../../cli/jupyter/server.ts';
import { messageOf } from '../../errors.ts';
import { KERNEL_NAME } from '../../kernel/info.ts';
import { NOTEBOOKS_FOLDER } from '../../notebook/course.ts';
import { stateFolder } from '../client/membership.ts';
import { copyCourse } from './course-copy.ts';

const home = homedir();
try {
  const record = join(stateFolder(), 'course.json');
  const { added, updated, kept } = await copyCourse(NOTEBOOKS_FOLDER, join(home, 'notebooks'), record);
  console.error(
    `lab: course: ${added.length} new, ${updated.length} updated, ${kept.length} kept as they are`,
  );
} catch (error) {
  console.error(`lab: the course could not be put into ${home}: ${messageOf(error)}`);
}
if (process.env.LLM_LAB_ROOM) {
  // Through a shell that ends at once: nobody has to wait for it, and its end leaves no zombie.
  const program = join(import.meta.dirname, 'join-room.ts');
  spawnSync('/bin/sh', ['-c', '"$0" "$1" &', process.execPath, program], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
const settings = {
  ...courseSettings(KERNEL_NAME),
  'ServerApp.root_dir': home,
  // Jupyter's own choice is a login shell, which would forget the PATH that `lab` is on.
  'ServerApp.terminado_settings': "{'shell_command': ['/bin/bash']}",
};
const command = ['jupyterhub-singleuser', ...settingArguments(settings), ...process.argv.slice(2)];
const path = `${join(import.meta.dirname, 'bin')}${delimiter}${process.env.PATH ?? ''}`;
if (process.execve === undefined) throw new Error('the hub needs Node 24 on Linux or macOS');
// In place of this process, so that the hub's signals reach the server itself.
process.execve('/bin/sh', ['sh', '-c', 'exec "$@"', 'sh', ...command], { ...process.env, PATH: path });
