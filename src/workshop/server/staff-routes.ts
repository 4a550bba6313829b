/** Who may log in: owners let others in, give them a new password, and let them go. */

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { StaffView } from '../book-protocol.ts';
import {
  addInstructor,
  allInstructors,
  type Instructor,
  removeInstructor,
  resetPassword,
} from './accounts.ts';
import { HttpError, type Workshop } from './app.ts';
import { sessionFor } from './login-routes.ts';

export function staffRoutes({ store, rooms }: Workshop) {
  async function named(request: FastifyRequest): Promise<Instructor> {
    const { id } = z.object({ id: z.coerce.number().int().positive() }).parse(request.params);
    const found = (await allInstructors(store)).find((one) => one.id === id);
    if (found === undefined) throw new HttpError(404, 'There is no such instructor.');
    return found;
  }

  return async (app: FastifyInstance): Promise<void> => {
    app.get('/api/instructors', async (request): Promise<StaffView[]> => {
      const { id: self } = await sessionFor(store, request, 'staff');
      return (await allInstructors(store)).map(({ id, name, role, since }) => ({
        id,
        name,
        role,
        since: since.toISOString(),
        self: id === self,
      }));
    });

    app.post('/api/instructors', async (request) => {
      const { name: by } = await sessionFor(store, request, 'staff');
      const given = z
        .strictObject({
          name: z.string().trim().min(1).max(60),
          role: z.enum(['instructor', 'assistant']),
        })
        .parse(request.body);
      const { instructor, password } = await addInstructor(store, { ...given, by });
      return { name: instructor.name, password };
    });

    app.post('/api/instructors/:id/password', async (request) => {
      const { name: by, id: self } = await sessionFor(store, request, 'staff');
      const { id, name, role } = await named(request);
      if (role === 'owner' && id !== self)
        throw new HttpError(403, 'Owners change their own passwords alone.');
      const password = await resetPassword(store, name, by);
      rooms.dismissInstructor(id);
      return { name, password };
    });

    app.delete('/api/instructors/:id', async (request) => {
      const { name: by } = await sessionFor(store, request, 'staff');
      const { id } = await named(request);
      await removeInstructor(store, id, by);
      rooms.dismissInstructor(id);
      return {};
    });
  };
}
