#!/usr/bin/env node
// `npx arus …`: the same as `npm run arus -- …`, from whatever folder and Node it is called.
process.argv.splice(2, 0, 'arus')
await import('../../../bin/run.mjs')
