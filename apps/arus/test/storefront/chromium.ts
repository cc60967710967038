import { existsSync } from 'node:fs'

/** Where the browser is; CHROMIUM_PATH names another place. */
export const executablePath: string = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** Why browser tests cannot run here, or null. */
export const noChromium: string | null = existsSync(executablePath)
  ? null
  : `there is no Chromium at ${executablePath} (CHROMIUM_PATH names another)`

export const FLAGS: string[] = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]
