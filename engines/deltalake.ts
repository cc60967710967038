import type { Engine } from './launcher/engine.ts'
import { installPythonPackages, PYTHON_TOOL, startWorker } from './launcher/python.ts'

const PACKAGES = ['deltalake==1.6.6', 'pyarrow==26.0.1']

/** PyPI's deltalake (delta-rs) behind `workers/deltalake_worker.py`. Tests find it by `ARUS_DELTALAKE_SOCKET`. */
export const deltalake: Engine = {
  name: 'deltalake',
  version: '1.6.6',
  description: 'deltalake and pyarrow from PyPI (some 350 MB)',
  tools: [PYTHON_TOOL],
  recipe: PACKAGES,
  install: (context) => installPythonPackages(context, PACKAGES),
  start: (context) =>
    startWorker(context, {
      name: 'deltalake',
      script: 'deltalake_worker.py',
      variable: 'ARUS_DELTALAKE_SOCKET',
    }),
}
