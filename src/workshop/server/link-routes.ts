/** Links of learning platforms, for the dashboard: where they lead, and choosing it. */

import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { LinkView } from '../book-protocol.ts';
import { connectLink, linksOf } from '../lti/links.ts';
import { chapterName } from '../protocol.ts';
import type { Workshop } from './app.ts';
import { sessionFor } from './login-routes.ts';

const number = z.coerce.number().int().positive();

export function linkRoutes({ store, catalogue }: Workshop) {
  return async (app: FastifyInstance): Promise<void> => {
    app.get('/api/links', async (request): Promise<LinkView[]> => {
      await sessionFor(store, request, 'manage');
      return (await linksOf(store)).map(({ id, platform, title, roomId, room, chapter }) => ({
        id,
        platform,
        title,
        roomId,
        room,
        chapter,
      }));
    });

    /** What a link can lead to. */
    app.get('/api/chapters', async (request) => {
      await sessionFor(store, request, 'manage');
      return catalogue.map(({ chapter, title }) => ({ chapter, title }));
    });

    app.put('/api/links/:link', async (request) => {
      const { name: by } = await sessionFor(store, request, 'manage');
      const { link: linkId } = z.object({ link: number }).parse(request.params);
      const { roomId, chapter } = z
        .strictObject({ roomId: z.int().positive(), chapter: chapterName })
        .parse(request.body);
      await connectLink(store, { linkId, roomId, chapter, by });
      return {};
    });
  };
}
