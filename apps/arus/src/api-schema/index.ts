/**
 * The shapes of the HTTP API: the one place where they are written. Routes validate and serialise with them,
 * OpenAPI is generated from them, and the dashboard takes its types from here (types only).
 */
export * from './analytics.ts'
export * from './events.ts'
export * from './experiments.ts'
export * from './keys.ts'
export * from './lake.ts'
export * from './problem.ts'
export * from './products.ts'
export * from './recommendations.ts'
export * from './rules.ts'
export * from './shoppers.ts'
export * from './system.ts'
