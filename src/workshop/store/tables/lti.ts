/** LTI 1.3: the platforms (Canvas, Moodle, ...) that this tool is registered with, and what it keeps of them. */
import { doublePrecision, integer, jsonb, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import type { JWK } from 'jose';
import { identity, instant, lab } from './columns.ts';
import { assignments, instructors, learners, rooms } from './rooms.ts';

/** A registration: the platform's issuer and the client id that it gave to this tool. */
export const ltiPlatforms = lab.table(
  'lti_platforms',
  {
    id: identity(),
    name: text('name').notNull(),
    issuer: text('issuer').notNull(),
    clientId: text('client_id').notNull(),
    /** Where a login goes on (OIDC authentication request). */
    authUrl: text('auth_url').notNull(),
    tokenUrl: text('token_url').notNull(),
    jwksUrl: text('jwks_url').notNull(),
    /** Who our access tokens are for, where it is not the token URL. */
    audience: text('audience'),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [uniqueIndex('lti_platforms_client').on(table.issuer, table.clientId)],
);

export const ltiDeployments = lab.table(
  'lti_deployments',
  {
    id: identity(),
    platformId: integer('platform_id')
      .notNull()
      .references(() => ltiPlatforms.id, { onDelete: 'cascade' }),
    deploymentId: text('deployment_id').notNull(),
  },
  (table) => [uniqueIndex('lti_deployments_id').on(table.platformId, table.deploymentId)],
);

/** A place in a course of the platform from which this tool is launched. */
export const ltiLinks = lab.table(
  'lti_links',
  {
    id: identity(),
    deploymentId: integer('deployment_id')
      .notNull()
      .references(() => ltiDeployments.id, { onDelete: 'cascade' }),
    resourceLinkId: text('resource_link_id').notNull(),
    contextId: text('context_id'),
    title: text('title'),
    /** Null until an instructor says which room it leads to. */
    roomId: integer('room_id').references(() => rooms.id, { onDelete: 'set null' }),
    assignmentId: integer('assignment_id').references(() => assignments.id, { onDelete: 'set null' }),
    /** Of the assignment and grade services. */
    lineItemsUrl: text('line_items_url'),
    lineItemUrl: text('line_item_url'),
    /** Of the names and roles service. */
    membershipsUrl: text('memberships_url'),
    scopes: jsonb('scopes').$type<readonly string[]>().notNull().default([]),
    lastLaunchAt: instant('last_launch_at').notNull(),
  },
  (table) => [uniqueIndex('lti_links_resource').on(table.deploymentId, table.resourceLinkId)],
);

/** Who somebody of a platform is here: a learner in a room, or an instructor. */
export const ltiUsers = lab.table(
  'lti_users',
  {
    id: identity(),
    platformId: integer('platform_id')
      .notNull()
      .references(() => ltiPlatforms.id, { onDelete: 'cascade' }),
    sub: text('sub').notNull(),
    learnerId: integer('learner_id').references(() => learners.id, { onDelete: 'cascade' }),
    instructorId: integer('instructor_id').references(() => instructors.id, { onDelete: 'cascade' }),
    /** Courses of the platform in which they were met: marks go nowhere else. */
    contextIds: jsonb('context_ids').$type<readonly string[]>().notNull().default([]),
  },
  (table) => [uniqueIndex('lti_users_learner').on(table.platformId, table.sub, table.learnerId)],
);

/** A login that was begun: the launch that answers it must bring the same state and nonce, once. */
export const ltiLogins = lab.table('lti_logins', {
  /** SHA-256 of the state, in hexadecimal. */
  stateHash: text('state_hash').primaryKey(),
  platformId: integer('platform_id')
    .notNull()
    .references(() => ltiPlatforms.id, { onDelete: 'cascade' }),
  nonce: text('nonce').notNull(),
  targetUrl: text('target_url').notNull(),
  expiresAt: instant('expires_at').notNull(),
});

/** Nonces that were used, until no token with them can be valid any more. */
export const ltiNonces = lab.table(
  'lti_nonces',
  {
    platformId: integer('platform_id')
      .notNull()
      .references(() => ltiPlatforms.id, { onDelete: 'cascade' }),
    nonce: text('nonce').notNull(),
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.platformId, table.nonce] })],
);

/** Our own signing keys. The newest signs; older ones stay in the key set until they are removed. */
export const ltiKeys = lab.table('lti_keys', {
  kid: text('kid').primaryKey(),
  publicJwk: jsonb('public_jwk').$type<JWK>().notNull(),
  privateJwk: jsonb('private_jwk').$type<JWK>().notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
});

/** The last score that a platform was told, so that nothing is told twice and nothing is forgotten. */
export const ltiScores = lab.table(
  'lti_scores',
  {
    linkId: integer('link_id')
      .notNull()
      .references(() => ltiLinks.id, { onDelete: 'cascade' }),
    learnerId: integer('learner_id')
      .notNull()
      .references(() => learners.id, { onDelete: 'cascade' }),
    points: doublePrecision('points').notNull(),
    outOf: doublePrecision('out_of').notNull(),
    comment: text('comment'),
    sentAt: instant('sent_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.linkId, table.learnerId] })],
);
