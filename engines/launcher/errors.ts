/** What can go wrong with an engine, and what to do about it. */
export const ENGINE_ERRORS = {
  ENGINE_UNKNOWN: 'Name one of the engines listed by `npm run engines -- list`',
  ENGINE_TOOL_MISSING: 'Install the tool that the message names and run the same command again',
  ENGINE_INSTALL_FAILED: 'Read the log that the message names; the next start installs again from nothing',
  ENGINE_START_FAILED: 'Read the lines of its log in the message',
  ENGINE_UP_FAILED: 'The lines before say which failed and why',
  ENGINE_RUNNING: 'Run `npm run engines -- down` first, with the same --env if you gave one',
  ENGINE_REQUEST_FAILED: 'The engine refused or failed the request; the message is its own',
} as const

export type EngineErrorCode = keyof typeof ENGINE_ERRORS

/** A failure to install, start or ask an engine, with a stable code. */
export class EngineError extends Error {
  readonly code: EngineErrorCode

  constructor(code: EngineErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'EngineError'
    this.code = code
  }

  /** What to do next. */
  get advice(): string {
    return ENGINE_ERRORS[this.code]
  }
}
