// SPDX-License-Identifier: BSD-2-Clause
// Puts the page together: verdicts, experiments, sweeps, what could not run, records.
import { h, replace } from './dom.js';
import { experimentsSection, openNamed } from './experiments.js';
import { Filters, filterBar } from './filters.js';
import { footer, guide } from './guide.js';
import { readModel } from './model.js';
import { learn } from './palette.js';
import { recordsSection } from './records.js';
import { sweepsSection } from './sweeps.js';
import { unavailableSection } from './unavailable.js';
import { plural } from './units.js';
import { verdictsSection } from './verdicts.js';
import { chooseTheme, startTheme, themeChoice } from './charts/theme.js';
import { charts } from './charts/frame.js';

function themeSwitch() {
  const select = h(
    'select',
    { id: 'theme', onchange: () => chooseTheme(select.value) },
    [
      ['auto', 'as the system'],
      ['light', 'light'],
      ['dark', 'dark'],
    ].map(([value, text]) => h('option', { value, selected: value === themeChoice() }, text)),
  );
  return h('label', { class: 'theme' }, 'Colours ', select);
}

function header(model) {
  const machines = [...new Set(model.records.map((record) => record.machine).filter(Boolean))];
  return h(
    'header',
    {},
    h('div', { class: 'top' }, h('p', { class: 'brand' }, 'Waggle'), themeSwitch()),
    h('h1', {}, model.title),
    h(
      'p',
      { class: 'about' },
      'Which path should file bytes take from one host to another? One protocol moved real files over each of these datapaths, every byte was verified, and all of them were measured alike.',
    ),
    h(
      'p',
      { class: 'facts' },
      [model.about, plural(model.experiments.length, 'experiment'), plural(model.datapaths.length, 'datapath'), ...machines]
        .filter(Boolean)
        .join(' · '),
    ),
    guide(),
  );
}

function navigation(sections) {
  return h(
    'nav',
    { 'aria-label': 'Sections' },
    h(
      'ul',
      {},
      sections.filter(Boolean).map((section) => h('li', {}, h('a', { href: `#${section.id}` }, section.querySelector('h2').textContent))),
    ),
  );
}

async function start() {
  const page = document.getElementById('page');
  try {
    startTheme();
    const model = await readModel();
    learn(model.datapaths);
    document.title = model.title;
    const filters = new Filters(model);
    const sections = [
      verdictsSection(model),
      experimentsSection(model, filters, filterBar(model, filters)),
      sweepsSection(model, filters),
      unavailableSection(model, filters),
      await recordsSection(model),
    ];
    replace(
      page,
      header(model),
      navigation(sections),
      h('main', {}, sections),
      footer(),
      h('div', { id: 'status', class: 'offscreen', role: 'status', 'aria-live': 'polite' }),
    );
    window.addEventListener('hashchange', openNamed);
    // A second click on the link of an experiment that was closed meanwhile changes no address.
    page.addEventListener('click', (event) => {
      if (event.target.closest?.('a[href^="#experiment/"]')) {
        setTimeout(openNamed);
      }
    });
    openNamed();
    window.waggle = { model, charts }; // for the console, and for the tests
    document.documentElement.dataset.ready = 'true';
  } catch (error) {
    replace(page, h('p', { class: 'boot', role: 'alert' }, error.message));
    document.documentElement.dataset.ready = 'failed';
  }
}

start();
