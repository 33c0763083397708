import { readdir, readFile } from 'node:fs/promises'

const LICENSE_FILE = /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i
const DIVIDER = `\n${'-'.repeat(80)}\n\n`

/**
 * Returns the licence texts of the packages that are in bundles, by esbuild's metafiles of them, for their licences demand that
 * every copy has them. Packages with the same text share it. Throws if a package has none: its text then has to be found.
 */
export async function noticesOf(metafiles) {
  const outputs = metafiles.flatMap(metafile => Object.values(metafile.outputs))
  const paths = outputs.flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? path : [])),
  )
  const packagesByText = new Map()
  for (const folder of [...new Set(paths.flatMap(packageFolder))].sort()) {
    const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'))
    const text = await readLicense(folder)
    packagesByText.set(text, [...(packagesByText.get(text) ?? []), `${name} ${version} (${license})`])
  }
  return [...packagesByText].map(([text, packages]) => `${packages.join('\n')}\n\n${text}\n`).join(DIVIDER)
}

/** Returns jeton's licence and the notices of a bundle as a comment, for a file that is copied without those around it. */
export async function licenseComment(metafile) {
  const own = await readFile('LICENSE', 'utf8')
  const notices = await noticesOf([metafile])
  const texts = notices ? [own, 'It contains parts of these packages:\n', notices] : [own]
  return `/*\n${texts.join(DIVIDER).replaceAll('*/', '* /')}*/\n`
}

/** `node_modules/@smithy/core/dist/a.js` lies in the package's folder `node_modules/@smithy/core`. */
function packageFolder(path) {
  return /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []
}

async function readLicense(folder) {
  const names = (await readdir(folder)).filter(name => LICENSE_FILE.test(name)).sort()
  if (names.length === 0) throw new Error(`${folder} has no licence text`)
  const texts = await Promise.all(names.map(name => readFile(`${folder}/${name}`, 'utf8')))
  return texts.map(text => text.trim()).join('\n\n')
}
