/** LTI 1.3: people come from a learning platform, learners to their own page, instructors to the dashboard. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Launch } from '../lti/launch.ts';
import { connectByCustom } from '../lti/links.ts';
import { instructorFor, learnerFor } from '../lti/people.ts';
import { isConfidential } from '../lti/platforms.ts';
import { lti } from '../lti/plugin.ts';
import { toolConfiguration } from '../lti/tool-configuration.ts';
import { may } from './accounts.ts';
import type { Workshop } from './app.ts';
import { LAUNCH_POLICY, type LaunchPage, launchPage } from './launch-page.ts';

const NOT_PUBLIC =
  'Learning platforms reach this server over TLS only: start it with its public address, npx lab workshop --address https://lab.example.org --trust-proxy\n';

export function ltiRoutes(workshop: Workshop) {
  const { address, store, rooms, logins, pages, claims } = workshop;

  return async (app: FastifyInstance): Promise<void> => {
    if (!isConfidential(address)) {
      for (const path of ['/lti/login', '/lti/launch', '/lti/keys', '/lti/config.json']) {
        app.all(path, (_request, reply) =>
          reply.code(409).type('text/plain; charset=utf-8').send(NOT_PUBLIC),
        );
      }
      return;
    }
    await app.register(lti, { store, address, onLaunch });
    app.get('/lti/config.json', () => toolConfiguration(address));
  };

  async function onLaunch(launch: Launch, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { sub, name, email, platform } = launch;
    const person = { platformId: platform.id, sub, name, email, contextId: launch.link.contextId };
    const instructor = launch.role === 'instructor' ? await instructorFor(store, person) : undefined;
    const link = await connectByCustom(store, launch.link, {
      custom: launch.custom,
      mayChooseRoom: instructor !== undefined && may(instructor.role, 'manage'),
      by: instructor?.name ?? platform.name,
    });
    if (launch.role === 'instructor') {
      if (instructor === undefined) {
        return send(reply, {
          title: 'Who are you in the workshop?',
          text: `${platform.name} says that you teach this course. Log in once with your name and password of the workshop; from then on this link brings you in.`,
          link: {
            href: `/login#claim=${claims.give({ ...person, platformName: platform.name })}`,
            label: 'Log in in a new window',
          },
        });
      }
      const to = link.assignmentId === null ? `/links/${link.id}` : `/rooms/${link.roomId}`;
      return enter(request, reply, `/login#key=${logins.give(instructor)}&to=${to}`, {
        title: link.title ?? 'LLM Lab',
        text: `You are ${instructor.name}, ${instructor.role} of the workshop.`,
      });
    }
    if (link.roomId === null) {
      return send(reply, {
        title: 'Nothing here yet',
        text: 'Your instructor has not said yet which chapter this link leads to. Come back later.',
      });
    }
    const { learnerId, how } = await learnerFor(store, link.roomId, person, platform.name);
    if (how === 'new') rooms.of(link.roomId).changed(learnerId);
    const key = pages.give({ learner: learnerId, launched: true });
    return enter(request, reply, `/me#key=${key}`, {
      title: link.title ?? 'LLM Lab',
      text: 'Your page shows your progress, and how your lab joins the room.',
    });
  }
}

/** A window of its own goes on by itself; in a frame a click opens one. */
function enter(
  request: FastifyRequest,
  reply: FastifyReply,
  href: string,
  page: Pick<LaunchPage, 'title' | 'text'>,
): FastifyReply {
  if (request.headers['sec-fetch-dest'] === 'document') return reply.redirect(href, 303);
  return send(reply, { ...page, link: { href, label: 'Open in a new window' } });
}

function send(reply: FastifyReply, page: LaunchPage): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', LAUNCH_POLICY)
    .header('cache-control', 'no-store')
    .send(launchPage(page));
}
