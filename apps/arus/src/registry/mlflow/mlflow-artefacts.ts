import { ArusError } from '../../errors.ts'
import { askMlflow, type MlflowAccess, PATIENT, type Patience, sendToMlflow } from './mlflow-request.ts'

const ARTEFACTS = '/api/2.0/mlflow-artifacts/artifacts'
/** A slow network still moves so many bytes in a second. */
const BYTES_PER_SECOND_MIN = 1024 * 1024

/** Files of runs, by way of the server, which keeps them wherever it does. Throws as `sendToMlflow` does. */
export class MlflowArtefacts {
  readonly #access: MlflowAccess

  constructor(access: MlflowAccess) {
    this.#access = access
  }

  /** Stores a file below `mlflow-artifacts:/…`. Throws when the server does not have all of it then. */
  async upload(folderUri: string, name: string, content: Blob): Promise<void> {
    await sendToMlflow(this.#access, {
      method: 'PUT',
      path: this.#pathOf(folderUri, name),
      content,
      purpose: `keep an artefact of ${content.size} bytes`,
      patience: patienceFor(content.size),
    })
    const kept = await this.#sizeOf(folderUri, name)
    if (kept !== content.size)
      throw new ArusError(
        'ENGINE_UNUSABLE',
        `MLflow at ${this.#access.trackingUri} has ${kept ?? 'no'} bytes of ${name}, and ${content.size} were sent; look at the disk of its artefacts`,
      )
  }

  /** `sizeBytes`: what is expected, for how long one waits. */
  download(folderUri: string, name: string, sizeBytes: number): Promise<Uint8Array> {
    return sendToMlflow(this.#access, {
      method: 'GET',
      path: this.#pathOf(folderUri, name),
      purpose: `give the artefact ${name}`,
      patience: patienceFor(sizeBytes),
    })
  }

  async #sizeOf(folderUri: string, name: string): Promise<number | null> {
    const folder = new URLSearchParams({ path: this.#placeOf(folderUri) })
    const { files = [] } = await askMlflow<{ files?: ListedFile[] }>(this.#access, {
      method: 'GET',
      path: `${ARTEFACTS}?${folder}`,
      purpose: 'list artefacts',
    })
    const file = files.find(({ path }) => path === name || path.endsWith(`/${name}`))
    return file?.file_size === undefined ? null : Number(file.file_size)
  }

  #pathOf(folderUri: string, name: string): string {
    const parts = `${this.#placeOf(folderUri)}/${name}`.split('/')
    return `${ARTEFACTS}/${parts.map(encodeURIComponent).join('/')}`
  }

  /** What a folder of artefacts is called below the server's root of artefacts. */
  #placeOf(uri: string): string {
    const parts = URL.parse(uri)
    const names = parts?.pathname.split('/').filter((name) => name !== '') ?? []
    if (parts?.protocol === 'mlflow-artifacts:' && names.length > 0) return names.join('/')
    throw new ArusError(
      'ENGINE_UNUSABLE',
      `MLflow at ${this.#access.trackingUri} does not pass artefacts on (they are at ${uri}); start it with --artifacts-destination, for experiments that are new then`,
    )
  }
}

interface ListedFile {
  readonly path: string
  /** 64-bit numbers may come as text. */
  readonly file_size?: number | string
}

function patienceFor(sizeBytes: number): Patience {
  return { ...PATIENT, timeoutMs: 30_000 + Math.ceil((sizeBytes / BYTES_PER_SECOND_MIN) * 1_000) }
}
