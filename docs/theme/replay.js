// Plays the recordings of a page, step by step ("Watch it run"). A recording is JSON in a
// <div class="watch">, and docs/generator writes it. The div has one recording for each language.
// Without this script, nothing of a recording is visible, and the page has its static picture.
// The function around everything is not indented, so that each page loads less.
'use strict';

(() => {

const root = document.documentElement;
const players = [];

/** The measures of a picture (docs/generator/src/draw.rs), in its own units. */
const TOP = 44;
const ROW = 23;
/** The time between two steps, in milliseconds. */
const PAUSE = 1600;
/** The colours of the threads in workbook.css. */
const COLOURS = 6;
const SIGNS = { runs: '▶', waits: '‖', ended: '■' };
const NAMES = { rust: 'Rust', python: 'Python' };

/** Returns the children for a sentence. Text between two backticks is code. */
function sentence(text) {
    return text.split('`').map((part, index) => index % 2 ? element('code', {}, part) : part);
}

/** A box that scrolls. It can have the focus, so that the keyboard can scroll it. */
function scroller(className, label) {
    return element('div', { class: `watch-box ${className}`, role: 'group', 'aria-label': label, tabindex: 0 });
}

/** Returns what is true after each step. A step of a recording has only what changes. */
function statesOf({ steps }) {
    let state = { rows: 0, threads: {}, kernel: {}, lines: {} };
    return steps.map(step => {
        const changed = Object.entries(step.threads ?? {});
        const newest = changed.findLast(([, [, what]]) => what === 'runs') ?? changed.at(-1);
        state = {
            step,
            rows: state.rows + (step.x ? 1 : 0),
            x: step.x ?? state.x,
            threads: { ...state.threads, ...step.threads },
            kernel: { ...state.kernel, ...step.kernel },
            lines: { ...state.lines, ...step.lines },
            active: newest?.[0] ?? state.active,
        };
        return state;
    });
}

/** Returns the connections that exist, without the listening socket. */
function connectionsOf({ kernel }) {
    return Object.entries(kernel).filter(([name, value]) => name !== 'listener' && value !== null);
}

/** Returns the lines of a program as HTML. A colour that goes over several lines starts again in each line. */
function linesOf(code) {
    const open = [];
    return code.innerHTML.trimEnd().split('\n').map(line => {
        const start = open.join('');
        for (const tag of line.match(/<\/?span[^>]*>/g) ?? []) {
            if (tag === '</span>') open.pop();
            else open.push(tag);
        }
        return start + line + '</span>'.repeat(open.length);
    });
}

/** Returns the element with the text of a program. Without `code`, the page has the program. */
function codeOf(program, language, id) {
    if (program.code === undefined) return document.querySelector(`#${id} code.language-${language}`);
    const name = /^(pub )?fn /m.test(program.code) ? 'rust' : 'python';
    const code = element('code', { class: `language-${name}` }, program.code);
    window.hljs?.highlightBlock(code);
    return code;
}

/** Makes everything that one recording shows. */
function makeView(recording, language, id) {
    const { picture, programs, threads, terminals, steps } = recording;
    const states = statesOf(recording);
    const nameOf = thread => thread.name || programs[thread.program].name;
    const colour = thread => `--thread: var(--thread-${thread % COLOURS + 1})`;

    /** A small box with the sign and the name of a thread. */
    const badge = (thread, what, ...more) => element('span', {
        class: 'watch-thread', 'data-state': what, style: colour(thread),
    }, element('span', { 'aria-hidden': true }, SIGNS[what]), ` ${nameOf(threads[thread])}`, ...more);

    // The programs.

    const bar = element('div', { class: 'watch-bar' });
    const boxes = programs.map((program, index) => {
        const box = scroller('watch-code', `The program: ${program.name}`);
        const lines = linesOf(codeOf(program, language, id)).map((html, row) => {
            const text = element('code');
            text.innerHTML = html;
            // The indentation is a margin, because a line must not break inside it.
            text.style.setProperty('--indent', text.textContent.search(/\S|$/));
            text.innerHTML = html.replace(/^((?:<span[^>]*>)*) +/, '$1');
            return element('div', { class: 'watch-line' },
                element('span', { class: 'watch-number', 'aria-hidden': true }, row + program.first),
                text, element('span', { class: 'watch-here' }));
        });
        box.append(...lines);
        const legend = element('span', { class: 'watch-legend' });
        let name = element('strong', {}, program.name);
        if (programs.length > 1) {
            name = element('button', { type: 'button' }, program.name);
            name.addEventListener('click', () => showProgram(index));
        }
        bar.append(name);
        return { box, lines, legend, name };
    });
    for (const { legend } of boxes) bar.append(legend);

    let now = states[0];
    function showProgram(shown) {
        for (const [index, { box, legend, name }] of boxes.entries()) {
            box.hidden = legend.hidden = index !== shown;
            if (boxes.length > 1) name.setAttribute('aria-pressed', index === shown);
        }
        keepInView();
    }

    function showThreads() {
        for (const { lines, legend } of boxes) {
            legend.replaceChildren();
            for (const line of lines.filter(found => found.dataset.state)) {
                line.removeAttribute('data-state');
                line.lastChild.replaceChildren();
            }
        }
        // The newest thread is the last, so a line that two threads share has its colour.
        const order = Object.keys(now.threads).sort((a, b) => (a === now.active) - (b === now.active));
        for (const thread of order) {
            const [number, what] = now.threads[thread];
            const { program } = threads[thread];
            const line = boxes[program].lines[number - programs[program].first];
            if (what === 'ended' || !line) continue;
            line.dataset.state = what;
            line.style = colour(thread);
            line.lastChild.append(badge(thread, what));
        }
        for (const [thread, { program }] of threads.entries()) {
            const [, what] = now.threads[thread] ?? [];
            const shown = badge(thread, what ?? 'waits', ' ', element('span', {}, what ?? 'waits'));
            // A thread that does not exist yet has its space, so that the box below does not move.
            if (!what) shown.style.visibility = 'hidden';
            boxes[program].legend.append(shown);
        }
    }

    // The picture. It has its heads twice, because one of them stays in view.

    const image = () => element('img', { src: picture.src, alt: '' });
    const mark = element('div', { class: 'watch-mark' });
    const sheet = element('div', { class: 'watch-sheet' }, image(), mark);
    const drawing = scroller('watch-picture', `The picture up to this step: ${picture.title}`);
    drawing.append(element('div', { class: 'watch-heads' }, image()), sheet);
    for (const copy of drawing.querySelectorAll('img')) {
        const measure = () => drawing.style.setProperty('--width', copy.naturalWidth);
        if (copy.complete) measure();
        else copy.addEventListener('load', measure);
    }

    function showPicture() {
        sheet.style.setProperty('--height', TOP + now.rows * ROW);
        mark.hidden = now.rows === 0;
        mark.style.setProperty('--top', TOP + (now.rows - 1) * ROW);
        mark.classList.toggle('now', now.step.x !== undefined);
    }

    // What the kernel holds.

    const kernel = scroller('watch-kernel', 'What the kernel holds');
    kernel.style.setProperty('--rows', Math.max(...states.map(state =>
        connectionsOf(state).length + (state.kernel.listener ? 1 : 0))));
    const body = element('tbody');
    // If the recorder has seen only one side of the connections, it does not know these numbers.
    const hasBytes = states.some(state => connectionsOf(state).some(([, { bytes }]) => bytes));
    const columns = [...hasBytes ? ['to server', 'to client'] : [], 'state'];
    kernel.append(element('table', {},
        element('caption', {}, `What the kernel holds${hasBytes ? ' (bytes not yet received)' : ''}`),
        element('thead', {}, element('tr', {}, element('td'),
            ...columns.map(title => element('th', { scope: 'col' }, title)))), body));

    const cellOf = count => element('td', { class: count > 0 ? 'some' : 'none' },
        `${count.toLocaleString('en')} ${count === 1 ? 'byte' : 'bytes'}`);

    function showKernel() {
        body.replaceChildren();
        const add = (name, title, ...cells) => body.append(
            element('tr', name in (now.step.kernel ?? {}) ? { class: 'now' } : {},
                element('th', { scope: 'row' }, title), ...cells));
        const { listener } = now.kernel;
        if (listener) {
            const { waiting = [], dropped = [] } = listener;
            const cell = element('td', { colspan: columns.length },
                waiting.length > 0 ? `waiting for accept: ${waiting.join(', ')}` : 'no connection waits for accept');
            if (dropped.length > 0) cell.append(element('br'), `SYN dropped: ${dropped.join(', ')}`);
            add('listener', 'listening socket', cell);
        }
        for (const [name, { state, bytes = [] }] of connectionsOf(now)) {
            add(name, name, ...bytes.map(cellOf), element('td', {}, state));
        }
    }

    // The terminals.

    const strip = element('div', { class: 'watch-terminals' });
    strip.style.setProperty('--lines', Math.max(0, ...terminals.map(({ lines }) => lines.length)));
    const screens = terminals.map(({ name }) => {
        const screen = scroller('watch-screen', `The terminal: ${name}`);
        const figure = element('figure', {}, element('figcaption', {}, name), screen);
        // The program of the page is first.
        if (name === programs[0].name) strip.prepend(figure);
        else strip.append(figure);
        return screen;
    });

    function showTerminals() {
        for (const [index, screen] of screens.entries()) {
            const count = now.lines[index] ?? 0;
            screen.replaceChildren(...terminals[index].lines.slice(0, count).map(line => {
                // A line must not break between the hyphens of an option.
                const parts = line.split(/(--)/).map((part, number) => number % 2 ? element('span', {}, part) : part);
                return element('div', line.startsWith('$ ') ? { class: 'watch-command' } : {}, ...parts);
            }));
            if (now.step.lines?.[index] > 0) screen.lastChild?.classList.add('now');
        }
    }

    // Only these boxes scroll, never the page.

    /** Scrolls the boxes so that what is new is in view. */
    function keepInView() {
        // An ended thread has no line any more, so another thread of its program is in view.
        const program = boxes.findIndex(({ box }) => !box.hidden);
        const places = Object.entries(now.threads).filter(([thread, [, what]]) =>
            threads[thread].program === program && what !== 'ended');
        const [, place] = places.find(([thread]) => thread === now.active) ?? places[0] ?? [];
        if (place) {
            const { box, lines } = boxes[program];
            const line = lines[place[0] - programs[program].first];
            const around = 3 * (line?.offsetHeight ?? 0);
            const isIn = line && line.offsetTop >= box.scrollTop + around
                && line.offsetTop + line.offsetHeight <= box.scrollTop + box.clientHeight - around;
            if (line && !isIn) box.scrollTop = line.offsetTop - (box.clientHeight - line.offsetHeight) / 3;
        }
        if (now.rows > 0) {
            const { clientWidth, clientHeight, scrollLeft } = drawing;
            const top = mark.offsetTop + mark.offsetHeight * 1.5 - clientHeight;
            const [from, to] = now.x ?? [0, 0];
            const size = mark.offsetHeight / ROW;
            const left = (Math.min(from, to) - 20) * size;
            const right = (Math.max(from, to) + 20) * size;
            let start = scrollLeft;
            // The label of a long arrow is next to its sender.
            if (right - left > clientWidth) start = from < to ? left : right - clientWidth;
            else if (left < scrollLeft || right > scrollLeft + clientWidth) start = (left + right - clientWidth) / 2;
            // A link leads to a place far away. One call, because a second one would end the first movement.
            const isFar = Math.abs(top - drawing.scrollTop) > 3 * mark.offsetHeight;
            drawing.scrollTo({ top, left: start, behavior: isFar ? 'instant' : 'auto' });
        } else {
            drawing.scrollTo(0, 0);
        }
        const entry = [...body.querySelectorAll('.now')].at(-1);
        if (entry) kernel.scrollTop = entry.offsetTop + entry.offsetHeight - kernel.clientHeight;
        for (const [index, screen] of screens.entries()) {
            screen.scrollTop = screen.scrollHeight;
            if (index in (now.step.lines ?? {})) strip.scrollLeft = screen.parentElement.offsetLeft - 12;
        }
    }

    const view = element('div', { class: 'watch-view' },
        element('div', { class: 'watch-program' }, bar, ...boxes.map(({ box }) => box)),
        drawing, kernel, strip);
    view.classList.toggle('many', terminals.length > 2);
    const observer = new ResizeObserver(() => keepInView());
    for (const box of [view, sheet]) observer.observe(box);
    return {
        view,
        steps,
        show(index) {
            now = states[index];
            showThreads();
            showPicture();
            showKernel();
            showTerminals();
            showProgram(threads[now.active]?.program ?? 0);
        },
    };
}

/** Returns whether a div is the replay of the program in short. */
function isShort({ dataset }) {
    return dataset.program.endsWith('-short');
}

/** Makes the player of a div. */
function makePlayer(watch) {
    const recordings = new Map([...watch.querySelectorAll('script')].map(script =>
        [script.dataset.language, JSON.parse(script.textContent)]));
    const views = new Map();
    let language;
    let index = 0;
    let timer;

    watch.setAttribute('role', 'region');
    watch.setAttribute('aria-label', `Watch it run, step by step: the ${isShort(watch) ? 'program in short' : 'whole program'}`);
    watch.tabIndex = -1;

    const button = (text, keys, title, action) => {
        const made = element('button', { type: 'button', 'aria-keyshortcuts': keys, title }, text);
        made.addEventListener('click', action);
        return made;
    };
    const count = element('span', { class: 'watch-count' });
    const say = element('span', { class: 'watch-sentence' });
    const back = button('‹ Back', ',', 'One step back (,)', () => go(index - 1));
    const play = button('Play', 'Space', 'Play or pause (space)', () => timer ? stop() : start());
    const forward = button('Step ›', '.', 'One step forward (.)', () => go(index + 1));
    const slider = element('input', { type: 'range', min: 1, 'aria-label': 'Step' });
    slider.addEventListener('input', () => go(slider.value - 1));
    const controls = element('div', { class: 'watch-controls' }, back, play, forward, slider);
    const languages = element('div', { role: 'group', 'aria-label': 'Language', class: 'watch-languages' });
    if (recordings.size > 1) {
        for (const name of recordings.keys()) {
            const choice = element('button', { type: 'button', 'data-language': name }, NAMES[name]);
            choice.addEventListener('click', () => speak(name));
            languages.append(choice);
        }
        controls.append(languages);
    }
    const place = element('div');
    const words = element('ol');
    watch.append(place,
        element('div', { class: 'watch-foot' },
            element('p', { class: 'watch-say', role: 'status' }, count, ' ', say), controls),
        element('details', { class: 'watch-words' }, element('summary', {}, 'All steps in words'), words));

    const hash = at =>
        `#${isShort(watch) ? 'short-' : ''}${language === 'python' ? 'python-' : ''}step-${at + 1}`;

    function show(at) {
        const { show: draw, steps } = views.get(language);
        index = Math.max(0, Math.min(at, steps.length - 1));
        draw(index);
        const text = `Step ${index + 1} of ${steps.length}`;
        count.textContent = `${text}.`;
        say.replaceChildren(...sentence(steps[index].say));
        slider.max = steps.length;
        slider.value = index + 1;
        slider.setAttribute('aria-valuetext', text);
        // A disabled button would lose the focus, and then the keys would not work.
        back.setAttribute('aria-disabled', index === 0);
        forward.setAttribute('aria-disabled', index === steps.length - 1);
        for (const [row, item] of [...words.children].entries()) {
            if (row === index) item.firstChild.setAttribute('aria-current', 'step');
            else item.firstChild.removeAttribute('aria-current');
        }
    }

    /** Shows the recording of a language. */
    function speak(wanted) {
        if (wanted === language || !recordings.has(wanted)) return;
        stop();
        language = wanted;
        if (!views.has(language)) views.set(language, makeView(recordings.get(language), language, watch.dataset.program));
        const { view, steps } = views.get(language);
        place.replaceChildren(view);
        words.replaceChildren(...steps.map((step, row) =>
            element('li', {}, element('a', { href: hash(row) }, ...sentence(step.say)))));
        for (const choice of languages.children) choice.setAttribute('aria-pressed', choice.dataset.language === language);
        show(index);
    }

    // Browsers allow only some changes of the address in each second.
    let renaming;
    function rename() {
        clearTimeout(renaming);
        renaming = setTimeout(() => history.replaceState(history.state, '', hash(index)), 300);
    }

    /** Shows a step because the reader asked for it. */
    function go(at) {
        stop();
        show(at);
        rename();
    }

    function start() {
        const last = views.get(language).steps.length - 1;
        if (index === last) show(0);
        play.textContent = 'Pause';
        timer = setInterval(() => {
            show(index + 1);
            if (index === last) stop();
        }, PAUSE);
    }

    function stop() {
        if (!timer) return;
        clearInterval(timer);
        timer = undefined;
        play.textContent = 'Play';
        rename();
    }

    watch.addEventListener('keydown', event => {
        // mdBook would go to another page.
        if (event.key.startsWith('Arrow')) event.stopPropagation();
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        const steps = { ',': index - 1, '.': index + 1, Home: 0, End: Infinity };
        if (event.key in steps) go(steps[event.key]);
        else if (event.key === ' ' && !event.target.closest('button, a, summary')) play.click();
        else if (event.key === 'l' && !root.classList.contains('presenter')) {
            speak([...recordings.keys()].find(name => name !== language));
        } else return;
        event.preventDefault();
    });

    // The key L of the presenter mode changes the language of the page.
    new MutationObserver(() => speak(root.dataset.language))
        .observe(root, { attributeFilter: ['data-language'] });
    speak(recordings.has(root.dataset.language) ? root.dataset.language : recordings.keys().next().value);

    return {
        watch,
        /** Opens the replay at a step, if the recording has this step. */
        open(wanted, at) {
            if (!recordings.get(wanted)?.steps[at]) return;
            speak(wanted);
            stop();
            show(at);
            watch.focus({ preventScroll: true });
            watch.scrollIntoView({ behavior: 'instant' });
        },
    };
}

const STEP = /^#(short-)?(python-)?step-(\d+)$/;

/** Opens the step that the end of an address names, for example `#step-12` or `#short-python-step-12`. */
function openStep(hash) {
    const [found, short, python, step] = STEP.exec(hash) ?? [];
    const player = players.find(({ watch }) => isShort(watch) === Boolean(short));
    if (found) player?.open(python ? 'python' : 'rust', step - 1);
}

if (/\/print\.html$/.test(location.pathname)) {
    // The hand-out is on paper, so it has no replays, and no links to their steps.
    for (const watch of document.querySelectorAll('.watch')) watch.remove();
    for (const link of document.querySelectorAll('main a')) {
        if (STEP.test(link.hash)) link.replaceWith(...link.childNodes);
    }
} else {
    for (const watch of document.querySelectorAll('.watch')) players.push(makePlayer(watch));
}
if (players.length > 0) {
    // A replay may change the address before this event comes.
    window.addEventListener('hashchange', ({ newURL }) => openStep(new URL(newURL).hash));
    // A link to the step that the address already names does not change the address.
    document.addEventListener('click', event => {
        const link = event.target.closest?.('a[href*="#"]');
        if (link && link.href === location.href) openStep(link.hash);
    });
    // The pictures above must have their heights.
    window.addEventListener('load', () => openStep(location.hash));
}

})();
