import { readFile } from 'node:fs/promises'

/** A file that pages load. */
export interface Asset {
  readonly type: string
  readonly bytes: Buffer
}

const TYPES = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const

/** The files that the build makes of `src/console/browser/`. */
const NAMES = ['console.css', 'console.js', 'icon.svg', 'databases.js', 'explain.js', 'decode.js'] as const

/** Reads the console's files by their names. Rejects with what to do if the folder lacks one. */
export async function readAssets(folder: URL): Promise<ReadonlyMap<string, Asset>> {
  const assets = await Promise.all(NAMES.map(async name => [name, await readAsset(folder, name)] as const))
  return new Map(assets)
}

async function readAsset(folder: URL, name: (typeof NAMES)[number]): Promise<Asset> {
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES]
  try {
    return { type, bytes: await readFile(new URL(name, folder)) }
  } catch (cause) {
    throw new Error(`the console's file ${name} is missing: install jeton again, or run npm run build`, {
      cause,
    })
  }
}
