/** The most memory (MiB) that a server may have after any number of requests. */
export const MAX_MIB = 320
