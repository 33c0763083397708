/** Environment variables by name, as in `process.env`. */
export type Environment = { readonly [name: string]: string | undefined }
