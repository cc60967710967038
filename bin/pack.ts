/**
 * `npm run pack -- NAME [FOLDER]`: makes packages/NAME a tarball that is installed without this repository, JavaScript with
 * its types, in FOLDER (default: where it is called). Here packages run from their sources, which Node does not below `node_modules`.
 */
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

/** The JavaScript of each Node that a package may ask for: what is newer does not compile. */
const LIBRARIES: Readonly<Record<string, string>> = { '20': 'es2023', '22': 'es2024' }
const root = join(import.meta.dirname, '..')
const run = promisify(execFile)

/** Makes the tarball; answers its path. Throws with the compiler's output when the package does not compile. */
export async function pack(name: string, folder: string): Promise<string> {
  const source = join(root, 'packages', name)
  // Within the repository, so that the compiler finds dependencies.
  const staging = mkdtempSync(join(root, 'node_modules', '.pack-'))
  try {
    const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest
    await compile(manifest, source, staging)
    writeFileSync(join(staging, 'package.json'), installable(manifest))
    cpSync(join(source, 'README.md'), join(staging, 'README.md'))
    cpSync(join(root, 'LICENSE'), join(staging, 'LICENSE'))
    mkdirSync(folder, { recursive: true })
    const windows = process.platform === 'win32'
    const { stdout } = await run(
      windows ? 'npm.cmd' : 'npm',
      ['pack', staging, '--json', '--pack-destination', folder],
      { cwd: staging, shell: windows },
    )
    return join(folder, JSON.parse(stdout)[0].filename)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

interface Manifest {
  readonly engines: { readonly node: string }
  readonly exports: Readonly<Record<string, string>>
  readonly sideEffects?: readonly string[]
  readonly scripts?: unknown
  readonly devDependencies?: unknown
}

async function compile({ engines }: Manifest, folder: string, staging: string): Promise<void> {
  const source = join(folder, 'src')
  const own = join(folder, 'tsconfig.json')
  const config = join(staging, 'tsconfig.json')
  const isOwn = existsSync(own)
  const library = LIBRARIES[/^>=(\d+)/.exec(engines.node)?.[1] ?? '']
  if (library === undefined) throw new RangeError(`${folder} asks for a Node that is not among LIBRARIES`)
  const compilerOptions = {
    target: 'es2022',
    // A package with a configuration of its own is for browsers, and says there what they have.
    ...(isOwn ? {} : { lib: [library, 'esnext.disposable'] }),
    rootDir: source,
    outDir: join(staging, 'dist'),
    noEmit: false,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    allowImportingTsExtensions: false,
  }
  writeFileSync(
    config,
    JSON.stringify({
      extends: isOwn ? own : join(root, 'tsconfig.json'),
      compilerOptions,
      include: [source],
      exclude: [join(source, '**/*.test.ts'), join(source, '**/test-*.ts')],
      files: [],
    }),
  )
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [tsc, '-p', config]).catch(({ stdout }) => {
    throw new Error(`${source} does not compile:\n${stdout}`)
  })
  rmSync(config)
  for (const file of readdirSync(source, { recursive: true, encoding: 'utf8' }))
    if (file.endsWith('.wasm')) cpSync(join(source, file), join(staging, 'dist', file))
}

function installable({ exports, sideEffects, scripts: _, devDependencies: __, ...kept }: Manifest): string {
  const compiled = (path: string, ending: string) => path.replace('/src/', '/dist/').replace(/\.ts$/, ending)
  const entries = Object.entries(exports).map(([name, path]) => [
    name,
    { types: compiled(path, '.d.ts'), default: compiled(path, '.js') },
  ])
  const manifest = {
    ...kept,
    ...(sideEffects ? { sideEffects: sideEffects.map((path) => compiled(path, '.js')) } : {}),
    files: ['dist'],
    exports: Object.fromEntries(entries),
  }
  return `${JSON.stringify(manifest, null, 2)}\n`
}

if (import.meta.main) {
  const [name, folder = '.'] = process.argv.slice(2)
  const names = readdirSync(join(root, 'packages'))
  if (name === undefined || !names.includes(name)) {
    console.error(`Usage: npm run pack -- NAME [FOLDER], where NAME is one of ${names.join(', ')}`)
    process.exitCode = 2
  } else {
    console.log(await pack(name, resolve(process.env.INIT_CWD ?? '.', folder)))
  }
}
