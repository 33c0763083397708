import { readdir, readFile } from 'node:fs/promises'

const LICENSE_FILE = /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i
const DIVIDER = `\n${'-'.repeat(80)}\n\n`

/** After these words the text of the Apache License explains how to apply it, with a line for the owner of the copyright. */
const APACHE_END = 'END OF TERMS AND CONDITIONS'

/**
 * Returns the licence texts of the packages that are in bundles, by esbuild's metafiles of them, for their licences demand that
 * every copy has them. Packages with the same text share it. Throws if a package has none: its text then has to be found.
 */
export async function noticesOf(metafiles, otherFolders = []) {
  const outputs = metafiles.flatMap(metafile => Object.values(metafile.outputs))
  const paths = outputs.flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? path : [])),
  )
  const folders = [...otherFolders, ...[...new Set(paths.flatMap(packageFolder))].sort()]
  const titlesByTerms = new Map()
  for (const { title, terms } of await Promise.all(folders.map(readLicense)))
    titlesByTerms.set(terms, [...(titlesByTerms.get(terms) ?? []), title])
  return [...titlesByTerms].map(([terms, titles]) => `${titles.join('\n')}\n\n${terms}\n`).join(DIVIDER)
}

/** Returns jeton's licence and the notices of a bundle as a comment, for a file that is copied without those around it. */
export async function licenseComment(metafile) {
  const notices = await noticesOf([metafile], ['.'])
  return `/*\nThis file contains parts of:\n\n${notices.replaceAll('*/', '* /')}*/\n`
}

/** `node_modules/@smithy/core/dist/a.js` lies in the package's folder `node_modules/@smithy/core`. */
function packageFolder(path) {
  return /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []
}

async function readLicense(folder) {
  const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'))
  const files = (await readdir(folder)).filter(file => LICENSE_FILE.test(file)).sort()
  if (files.length === 0) throw new Error(`${folder} has no licence text`)
  const texts = await Promise.all(files.map(file => readFile(`${folder}/${file}`, 'utf8')))
  const parts = texts.map(text => text.split(APACHE_END))
  const owner = /^ *(Copyright .*\d{4}.*)$/m.exec(parts.map(([, appendix = '']) => appendix).join('\n'))?.[1]
  const title = `${name} ${version} (${license})`
  return {
    title: owner ? `${title}, ${owner}` : title,
    terms: parts.map(([terms]) => terms.trim()).join('\n\n'),
  }
}
