// SPDX-License-Identifier: BSD-2-Clause
// Charts take their colours from the style sheet, and are drawn anew when it changes.
const listeners = new Set();
let printing = false;

function stored() {
  try {
    return localStorage.getItem('waggle-theme') ?? 'auto';
  } catch {
    return 'auto'; // some browsers keep nothing for files
  }
}

let chosen = stored();
const system = window.matchMedia('(prefers-color-scheme: dark)');

export function isDark() {
  return !printing && (chosen === 'dark' || (chosen === 'auto' && system.matches));
}

export function themeChoice() {
  return chosen;
}

function apply() {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
  listeners.forEach((listener) => listener());
}

export function chooseTheme(name) {
  chosen = name;
  try {
    localStorage.setItem('waggle-theme', name);
  } catch {
    /* then for this time only */
  }
  apply();
}

/// `listener` is called when charts must be drawn anew; the result stops that.
export function onTheme(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function isPrinting() {
  return printing;
}

export function startTheme() {
  system.addEventListener('change', apply);
  window.addEventListener('beforeprint', () => {
    printing = true;
    apply();
  });
  window.addEventListener('afterprint', () => {
    printing = false;
    apply();
  });
  apply();
}

/// What charts need of the style sheet.
export function colors() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    dark: isDark(),
    text: of('--text'),
    muted: of('--muted'),
    line: of('--line'),
    grid: of('--grid'),
    surface: of('--surface'),
    parts: [1, 2, 3, 4, 5, 6].map((i) => of(`--part-${i}`)),
    font: style.getPropertyValue('--font').trim(),
  };
}
