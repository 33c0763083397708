import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { anchorProblems } from './anchors.ts'
import { circleProblems } from './circles.ts'
import { KEPT_IDENTIFIERS, KEPT_WORDS, LONG_FILES, SHARED_NAMES } from './exceptions.ts'
import { fileLengthProblems } from './file-length.ts'
import { fileNameProblems } from './file-names.ts'
import { floorProblems } from './floors.ts'
import { floorsBlockProblems } from './floors-block.ts'
import { folderProblems } from './folders.ts'
import { glossaryProblems } from './glossary.ts'
import { LAZY_MODULES, lazyModuleProblems } from './lazy-modules.ts'
import { linkProblems, packagedLinkProblems } from './links.ts'
import { namedExportProblems } from './named-exports.ts'
import { onePlaceProblems } from './one-place.ts'
import { PACKAGE_WALLS, packageWallProblems } from './package-walls.ts'
import { retiredWordProblems } from './retired-words.ts'
import { readDocuments, readPaths, readSources, readTests } from './source-files.ts'
import { specifierProblems } from './specifiers.ts'
import { wallProblems } from './walls.ts'

const files = readSources()
const tests = readTests()
const sources = files.filter(({ path }) => path.startsWith('src/'))
const documents = readDocuments()
const design = documents.find(({ path }) => path === 'docs/design.md') ?? { path: 'docs/design.md', text: '' }

test('imports run down the floors', () => {
  expect(floorProblems(files)).toEqual([])
})

test('imports name files as they are called', () => {
  expect(specifierProblems(files)).toEqual([])
})

test('lib/ and client/ know only what their walls let them', () => {
  expect(wallProblems(files)).toEqual([])
})

test('packages are imported only where their walls let them', () => {
  expect(packageWallProblems(files, PACKAGE_WALLS)).toEqual([])
})

test('modules that slow a start are imported only when they are needed', () => {
  expect(lazyModuleProblems(files, LAZY_MODULES)).toEqual([])
})

test('floors of the design are those that imports are held to', () => {
  expect(floorsBlockProblems(design)).toEqual([])
})

test('imports never run in a circle, types included', () => {
  expect(circleProblems(files)).toEqual([])
})

test('an exported name is exported in one place', () => {
  expect(onePlaceProblems(sources, SHARED_NAMES)).toEqual([])
})

test('folders of src/ are named in the design, and those that it names exist', () => {
  expect(folderProblems(design, sources)).toEqual([])
})

test('glossary words are in use', () => {
  expect(glossaryProblems(design, sources)).toEqual([])
})

test('retired words do not come back', () => {
  expect(
    retiredWordProblems([...files, ...tests], { identifiers: KEPT_IDENTIFIERS, words: KEPT_WORDS }),
  ).toEqual([])
})

test('files have names in kebab-case and lie in a folder of their step or subject', () => {
  expect(fileNameProblems(files)).toEqual([])
})

test('files are at most 200 lines long', () => {
  expect(fileLengthProblems(files, LONG_FILES)).toEqual([])
})

test('paths and links of the documents lead somewhere', () => {
  expect([...linkProblems(documents, readPaths()), ...anchorProblems(documents)]).toEqual([])
})

test('links of the documents in the package lead to what is in it', () => {
  expect(packagedLinkProblems(documents, manifest.files)).toEqual([])
})

test('names that the documents give a file for are exported by it', () => {
  expect(namedExportProblems(documents, [...files, ...tests])).toEqual([])
})
