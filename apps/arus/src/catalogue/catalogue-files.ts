/** Names within a version's folder. */
export const TEXTS_FILE = 'products.txt'
export const INDEX_FILE = 'index.bin'

/** Grows whenever the files of a catalogue are written otherwise than before. */
export const CATALOGUE_FORMAT = 4

/** No category, in the index's column of categories. */
export const NO_CATEGORY = 0xffff
