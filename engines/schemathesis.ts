import { join } from 'node:path'
import type { Engine } from './launcher/engine.ts'
import { installPythonPackages, PYTHON_TOOL } from './launcher/python.ts'

const PACKAGES = ['schemathesis==4.32.5']

/** PyPI's schemathesis, a program that fuzzes an API from its OpenAPI. Nothing runs; tests find it by `ARUS_SCHEMATHESIS`. */
export const schemathesis: Engine = {
  name: 'schemathesis',
  version: '4.32.5',
  description: 'schemathesis from PyPI (some 60 MB)',
  tools: [PYTHON_TOOL],
  recipe: PACKAGES,
  install: (context) => installPythonPackages(context, PACKAGES),
  start: async ({ folder }) => ({
    environment: { ARUS_SCHEMATHESIS: join(folder, 'python', 'bin', 'schemathesis') },
    stop: async () => {},
  }),
}
