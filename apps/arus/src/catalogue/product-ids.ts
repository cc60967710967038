import { ByteTable } from './byte-table.ts'
import type { FlatReader } from './flat-file.ts'

/** Which document a product id stands for. Ids are kept in the order they came in: a build need not move them. */
export class ProductIds {
  readonly #table: ByteTable
  readonly #documentOf: Uint32Array
  readonly #lineOf: Uint32Array

  constructor(reader: FlatReader) {
    this.#table = ByteTable.load(reader, 'ids')
    this.#documentOf = reader.u32('ids.document')
    this.#lineOf = reader.u32('documents.line')
  }

  /** Document of a product id, or -1. */
  document(productId: string): number {
    const line = this.#table.findText(productId)
    return line < 0 ? -1 : this.#documentOf[line]!
  }

  text(document: number): string {
    return this.#table.text(this.#lineOf[document]!)
  }
}
