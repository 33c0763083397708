/** An event of the document: its live elements were brought up to date. */
export const UPDATED = 'jeton:updated'
