// SPDX-License-Identifier: BSD-2-Clause
// Makes the template: node build.mjs NODE_MODULES OUTPUT. Everything inlined, and nothing in it depends on when or where it is made.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [modules, output] = process.argv.slice(2).map((path) => resolve(path));
const source = join(dirname(fileURLToPath(import.meta.url)), 'src');
const esbuild = createRequire(join(modules, 'from'))('esbuild');

function fail(text) {
  console.error(`results/page: ${text}`);
  process.exit(1);
}

async function bundled(name) {
  const result = await esbuild.build({
    entryPoints: [join(source, name)],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: ['es2022', 'chrome105', 'firefox110', 'safari16'],
    nodePaths: [modules],
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none',
    logLevel: 'warning',
    charset: 'utf8',
  });
  return result.outputFiles[0].text.trim();
}

const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

function licences() {
  const text = (path) => readFileSync(join(modules, path), 'utf8').trim();
  return ['echarts', 'zrender', 'tslib']
    .map((name) => {
      const { version, license } = JSON.parse(text(`${name}/package.json`));
      const file = { tslib: 'LICENSE.txt' }[name] ?? 'LICENSE';
      return `${name} ${version} (${license})\n\n${name === 'echarts' ? `${text('echarts/NOTICE')}\n\n` : ''}${text(`${name}/${file}`)}`;
    })
    .join(`\n\n${'-'.repeat(72)}\n\n`);
}

const script = await bundled('main.js');
const style = await bundled('all.css');
const parts = {
  // Only our own script and style, by their hashes; no request of any kind. The inline icon keeps browsers from asking for one.
  CSP: `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`,
  STYLE: style,
  SCRIPT: script,
  LICENCES: licences(),
};
for (const [name, text] of Object.entries(parts)) {
  if (/<\/(script|style)|<!--|@@WAGGLE_|@@CSP@@/i.test(text)) {
    fail(`${name} holds what would end its element or is a marker of the template`);
  }
}
const template = readFileSync(join(source, 'template.html'), 'utf8').replace(/@@(CSP|STYLE|SCRIPT|LICENCES)@@/g, (_, name) => parts[name]);
for (const marker of ['@@WAGGLE_MODEL@@', '@@WAGGLE_RECORDS@@']) {
  if (template.split(marker).length !== 2) {
    fail(`${marker} is not in the template exactly once`);
  }
}
writeFileSync(`${output}.part`, template);
renameSync(`${output}.part`, output);
