import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Halves the start of every process but the first. In the installation, as a shared folder could be written by others.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '../../../node_modules/.cache/arus')
enableCompileCache(process.env.NODE_COMPILE_CACHE)
// Imports run before code: what is to be cached is imported by code.
const { run } = await import('./program.ts')
process.exitCode = await run(process.argv)
