// SPDX-License-Identifier: BSD-2-Clause
// Elements. Everything a model says becomes a text node: no markup is ever parsed, since records may come from strangers.

/// An element; `on…` attributes are listeners, `style` is an object, false and null attributes are left out.
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) {
      continue;
    }
    if (key.startsWith('on')) {
      element.addEventListener(key.slice(2), value);
    } else if (key === 'style') {
      Object.entries(value).forEach(([property, text]) => element.style.setProperty(property, text));
    } else {
      element.setAttribute(key, value === true ? '' : value);
    }
  }
  add(element, children);
  return element;
}

export function add(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(child); // text becomes a text node
    }
  }
  return element;
}

export function replace(element, ...children) {
  element.replaceChildren();
  return add(element, children);
}

const kSvg = 'http://www.w3.org/2000/svg';

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(kSvg, name);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  element.append(...children);
  return element;
}

/// Says something to screen readers.
export function announce(text) {
  const status = document.getElementById('status');
  if (status) {
    status.textContent = text;
  }
}

/// An id for an element that others refer to.
let ids = 0;
export function uniqueId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

/// The id of the element of an experiment or a record; theirs may hold anything.
export function anchorOf(kind, id) {
  return `${kind}/${String(id).replace(/\s/g, '_')}`;
}

/// A link to one within the page.
export function jump(kind, id, text) {
  return h('a', { href: `#${anchorOf(kind, id).split('/').map(encodeURIComponent).join('/')}` }, text);
}

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers that refuse the clipboard to files have the older way.
    const area = h('textarea', { readonly: true, class: 'offscreen', 'aria-hidden': 'true' });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

/// A command, with a button that copies it.
export function command(text, what = 'command') {
  const button = h('button', { type: 'button', class: 'small', 'aria-label': `Copy the ${what}: ${text}` }, 'Copy');
  button.addEventListener('click', async () => {
    const done = await copyText(text);
    button.textContent = done ? 'Copied' : 'Not copied';
    announce(done ? `Copied: ${text}` : 'The browser did not allow to copy');
    setTimeout(() => {
      button.textContent = 'Copy';
    }, 2000);
  });
  return h('div', { class: 'command' }, h('code', { tabindex: '0', role: 'group', 'aria-label': what }, text), button);
}
