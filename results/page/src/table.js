// SPDX-License-Identifier: BSD-2-Clause
// Tables that sort by any column, with the keyboard too.
import { announce, h, replace } from './dom.js';

const collator = new Intl.Collator('en', { numeric: true });

function compared(a, b, down) {
  const [noA, noB] = [a === null || a === undefined || a === '', b === null || b === undefined || b === ''];
  if (noA || noB) {
    return noA - noB; // what is not known comes last, whichever way
  }
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b));
  return down ? -order : order;
}

/// columns: { key, title, unit, number, down (sorts downwards first), value(row), cell(row) → text or element, head (row header) }.
/// `after(row)` may give a further row below one; `bands` ({ key, of(row) }) puts a heading over rows that belong together, where the
/// order is the given one or follows from that column. Returns { element, show(rows) }.
export function sortableTable({
  caption,
  label,
  columns,
  rows,
  sorted = null,
  after = null,
  bands = null,
  rowAttributes = () => ({}),
  className = '',
  empty = 'Nothing matches.',
}) {
  let shown = rows;
  let order = sorted;
  const body = h('tbody');
  const heads = columns.map((column) => head(column));
  const table = h(
    'table',
    { class: className },
    h('caption', { class: caption ? null : 'offscreen' }, caption ?? label),
    h('thead', {}, h('tr', {}, heads)),
    body,
  );

  function head(column) {
    const arrow = h('span', { class: 'arrow', 'aria-hidden': 'true' });
    const title = [h('span', { class: 'title' }, column.title), column.unit ? h('span', { class: 'unit' }, column.unit) : null];
    const cell = h('th', { scope: 'col', class: column.number ? 'number' : null });
    if (column.plain) {
      return add(cell, title);
    }
    cell.append(h('button', { type: 'button', class: 'sort', onclick: () => sortBy(column) }, title, arrow));
    return cell;
  }
  function add(cell, parts) {
    parts.filter(Boolean).forEach((part) => cell.append(part));
    return cell;
  }
  function sortBy(column) {
    const down = order?.key === column.key ? !order.down : Boolean(column.down);
    order = { key: column.key, down };
    draw();
    announce(`Sorted by ${column.title}, ${down ? 'descending' : 'ascending'}`);
  }
  function draw() {
    const column = columns.find((one) => one.key === order?.key);
    const list = column ? [...shown].sort((a, b) => compared(column.value(a), column.value(b), order.down)) : shown;
    columns.forEach((one, i) => {
      const direction = one === column ? (order.down ? 'descending' : 'ascending') : null;
      if (direction) {
        heads[i].setAttribute('aria-sort', direction);
      } else {
        heads[i].removeAttribute('aria-sort');
      }
      const arrow = heads[i].querySelector('.arrow');
      if (arrow) {
        arrow.textContent = direction === 'descending' ? '▼' : direction === 'ascending' ? '▲' : '';
      }
    });
    const banded = bands && (!order || (order.key === bands.key && !order.down));
    let last = null;
    function band(row) {
      const name = banded ? bands.of(row) : null;
      if (!name || name === last) {
        return null;
      }
      last = name;
      return h('tr', { class: 'band' }, h('th', { colspan: columns.length, scope: 'rowgroup' }, name));
    }
    replace(
      body,
      list.length === 0
        ? h('tr', {}, h('td', { colspan: columns.length, class: 'empty' }, empty))
        : list.map((row) => [
            band(row),
            h(
              'tr',
              rowAttributes(row),
              columns.map((one) => cellOf(one, row)),
            ),
            after ? after(row, order) : null,
          ]),
    );
  }
  function cellOf(column, row) {
    const attributes = {
      class: [column.number ? 'number' : '', column.className ?? ''].join(' ').trim() || null,
      'data-title': column.title,
    };
    return column.head ? h('th', { scope: 'row', ...attributes }, column.cell(row)) : h('td', attributes, column.cell(row));
  }

  draw();
  // What scrolls must be reached by the keyboard.
  const element = h('div', { class: 'scroll', role: 'region', tabindex: '0', 'aria-label': label ?? caption }, table);
  return {
    element,
    show(next) {
      shown = next;
      draw();
    },
  };
}
