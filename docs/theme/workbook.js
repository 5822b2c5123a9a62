// The presenter mode, the keys, the puzzles, what the copy button copies, and the hand-out. Without
// this script, every page is complete.
'use strict';

/** An element with these attributes and children. The script replay.js calls this function, too. */
function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
}

(() => {
    const root = document.documentElement;

    /** Stores a value for the next page, where head.hbs reads it. */
    function remember(storage, key, value) {
        try {
            window[storage].setItem(`sockets101-${key}`, value);
        } catch { /* If the browser does not allow it, the value is only for this page. */ }
    }

    // Presenter mode.

    const presenterButton = element('button', {
        type: 'button',
        class: 'icon-button presenter-button',
        title: 'Presenter mode (p)',
        'aria-label': 'Presenter mode (p)',
        'aria-keyshortcuts': 'p',
        'aria-pressed': root.classList.contains('presenter'),
    });
    presenterButton.innerHTML = '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" '
        + 'fill="none" stroke="currentColor" stroke-width="1.5"><path d="M1 2h14M2 2v8.5h12V2M8 10.5V13m-3 2 '
        + '3-2.5L11 15"/></svg>';
    presenterButton.addEventListener('click', () => present(!root.classList.contains('presenter')));
    document.querySelector('.right-buttons')?.prepend(presenterButton);

    /** Returns how many pixels the menu bar covers when the page scrolls up. In presenter mode, it covers none. */
    function coveredTop() {
        return root.classList.contains('presenter') ? 0 : document.getElementById('mdbook-menu-bar').offsetHeight;
    }

    /** Turns the mode on or off. What was at the top of the window stays there. */
    function present(on) {
        const seen = [...document.querySelectorAll('main > *')]
            .find(child => child.getBoundingClientRect().bottom > coveredTop());
        root.classList.toggle('presenter', on);
        presenterButton.setAttribute('aria-pressed', on);
        showNewLines();
        remember('sessionStorage', 'presenter', on ? 'on' : 'off');
        if (window.scrollY > 0) seen?.scrollIntoView({ behavior: 'instant' });
    }

    /** Goes to a heading. The next Tab continues from there. */
    function goToPart(heading) {
        heading.tabIndex = -1;
        heading.focus({ preventScroll: true });
        heading.scrollIntoView({ behavior: 'instant' });
    }

    /** Shows the other language, and keeps what was at the top of the window there. */
    function switchLanguage() {
        const pair = [...document.querySelectorAll('.pair')]
            .find(found => found.getBoundingClientRect().bottom > 0);
        const before = pair?.getBoundingClientRect().top;
        root.dataset.language = root.dataset.language === 'rust' ? 'python' : 'rust';
        remember('localStorage', 'language', root.dataset.language);
        if (pair) window.scrollBy({ top: pair.getBoundingClientRect().top - before, behavior: 'instant' });
    }

    // The instructor's notes.

    const notes = document.querySelectorAll('details.notes');

    let positionBefore = 0;

    /** Returns the heading above the notes. */
    function headingOf(details) {
        let before = details.previousElementSibling;
        while (!before.matches('h2')) before = before.previousElementSibling;
        return before;
    }

    /** Returns the notes of the part at the top of the window. A page of steps has notes in each part. */
    function currentNotes() {
        const below = [...notes].findIndex(details => headingOf(details).getBoundingClientRect().top > coveredTop() + 8);
        return notes[below === -1 ? notes.length - 1 : Math.max(below - 1, 0)];
    }

    /** Shows the notes, or hides them. Then the page goes back to where it was, if the notes are in view. */
    function showNotes(on) {
        const current = currentNotes();
        if (on) positionBefore = window.scrollY;
        const { top, bottom } = current.getBoundingClientRect();
        const inView = top < window.innerHeight && bottom > 0;
        root.classList.toggle('with-notes', on);
        for (const details of notes) details.open = on;
        if (on) headingOf(current).scrollIntoView({ behavior: 'instant' });
        else if (inView) window.scrollTo({ top: positionBefore, behavior: 'instant' });
    }

    // Steps: the new lines have a mark at the edge.

    for (const code of document.querySelectorAll('.step .rust pre > code')) {
        const lines = code.innerHTML.split('\n');
        const ranges = [...code.classList].map(name => /^new-(\d+)-(\d+)$/.exec(name)).filter(Boolean);
        // From the last to the first, because the lines of a range become one entry.
        for (const [, first, last] of ranges.reverse()) {
            const count = last - first + 1;
            const text = lines.slice(first - 1, last).join('\n');
            lines.splice(first - 1, count, `<mark class="new">${text}\n</mark>`);
        }
        code.innerHTML = lines.map(line => line.endsWith('</mark>') ? line : `${line}\n`).join('');
    }

    /** In presenter mode, scrolls the programs of all steps to their first new lines. */
    function showNewLines() {
        for (const mark of document.querySelectorAll('.step mark.new:first-of-type')) {
            const code = mark.parentElement;
            const above = 2 * parseFloat(getComputedStyle(code).lineHeight);
            code.scrollTop = mark.offsetTop - code.offsetTop - above;
        }
    }
    for (const details of document.querySelectorAll('.step details')) details.addEventListener('toggle', showNewLines);
    showNewLines();

    // Keys that go from picture to picture.

    const FIGURES = 'main :is(figure.idea, figure.wire, figure.drawing, .watch, .pair, .terminals, .puzzle-board, mark.new:first-of-type)';
    /** The lines above a new line stay in view. */
    const ABOVE_MARK = 90;

    /** Goes to the next picture, program or terminal (1), or to the previous one (-1). */
    function goToFigure(direction) {
        const margin = coveredTop() + 8;
        const places = [...document.querySelectorAll(FIGURES)]
            .filter(figure => figure.checkVisibility())
            .map(figure => figure.getBoundingClientRect().top - margin - (figure.matches('mark') ? ABOVE_MARK : 0))
            .filter(top => direction * top > 1);
        if (places.length > 0) {
            const nearest = direction > 0 ? Math.min(...places) : Math.max(...places);
            window.scrollBy({ top: nearest, behavior: 'instant' });
        } else if (direction < 0) {
            window.scrollTo({ top: 0, behavior: 'instant' });
        }
    }

    for (const code of document.querySelectorAll('.pair pre > code')) {
        code.parentElement.style.setProperty('--lines', code.textContent.trimEnd().split('\n').length);
    }

    for (const picture of document.querySelectorAll('.wire img')) {
        const measure = () => picture.style.setProperty('--height', picture.naturalHeight);
        if (picture.complete) measure();
        else picture.addEventListener('load', measure);
    }

    for (const line of [
        'Press <kbd>P</kbd> for the presenter mode: large type, one language',
        'Press <kbd>1</kbd> to <kbd>9</kbd> to go to a part of the page',
        'Press <kbd>L</kbd> for the other language, in presenter mode',
        'Press <kbd>N</kbd> to show or hide the notes for the instructor',
        'Press <kbd>J</kbd> or <kbd>K</kbd> to go to the next or the previous picture, program, new line or terminal',
        'Press <kbd>,</kbd> <kbd>.</kbd> <kbd>Home</kbd> <kbd>End</kbd> or the space bar in "Watch it run", to go from step to step, or to play',
    ]) {
        const help = element('p');
        help.innerHTML = line;
        document.querySelector('#mdbook-help-popup p:last-of-type')?.before(help);
    }

    // If mdBook has opened a menu, Escape closes only this menu. The listeners of mdBook do that. Our
    // listener runs before them (true), because it must see whether a menu is open.
    document.addEventListener('keydown', event => {
        const modified = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
        if (modified || event.repeat || event.target.closest?.('input:not([type="range"]), select, textarea')) return;
        const presenting = root.classList.contains('presenter');
        const menuIsOpen = ['mdbook-help-container', 'mdbook-theme-list', 'mdbook-search-wrapper']
            .some(id => document.getElementById(id)?.getClientRects().length);
        const part = document.querySelectorAll('main h2')[event.key - 1];
        if (event.key === 'p') present(!presenting);
        else if (event.key === 'l' && presenting) switchLanguage();
        else if (event.key === 'n' && notes.length > 0) showNotes(!root.classList.contains('with-notes'));
        else if (event.key === 'j') goToFigure(1);
        else if (event.key === 'k') goToFigure(-1);
        else if (part?.getClientRects().length) goToPart(part);
        else if (event.key === 'Escape' && presenting && !menuIsOpen) present(false);
    }, true);

    // Terminals: the commands are bold, and the button copies only them.

    for (const code of document.querySelectorAll('code.language-console')) {
        code.classList.toggle('chart', code.textContent.includes('━'));
        const parts = code.textContent.split(/^(\$ .*)$/m);
        code.replaceChildren(...parts.map((part, index) =>
            index % 2 ? element('span', { class: 'command' }, part) : part));
    }

    // The button of mdBook gets its text from this function.
    const wholeText = window.playground_text;
    window.playground_text = (pre, hidden) => {
        const commands = [...pre.querySelectorAll('.command')];
        return commands.length > 0
            ? commands.map(command => command.textContent.slice('$ '.length)).join('\n')
            : wholeText(pre, hidden);
    };

    // The keyboard can do all that a mouse can do.

    // A box that scrolls sideways must get the focus by Tab. Some browsers do this, and some do not.
    const overflows = new ResizeObserver(entries => {
        for (const { target } of entries) {
            const scrolls = target.scrollWidth > target.clientWidth;
            target.classList.toggle('scrolls', scrolls);
            if (scrolls) target.tabIndex = 0;
            else target.removeAttribute('tabindex');
        }
    });
    for (const box of document.querySelectorAll('main pre > code, main .table-wrapper, main figure:is(.wire, .idea, .drawing)')) {
        overflows.observe(box);
        // mdBook would go to the next page.
        box.addEventListener('keydown', event => {
            if (event.key.startsWith('Arrow') && box.hasAttribute('tabindex')) event.stopPropagation();
        });
    }

    // Readers who use Tab can skip the sidebar and the bar.
    const content = document.querySelector('main');
    content.tabIndex = -1;
    content.id ||= 'page';
    document.body.prepend(element('a', { class: 'skip', href: `#${content.id}` }, 'Skip to the page'));

    // In mdBook, the label of a hidden box opens the sidebar. A label cannot have the focus.
    const label = document.getElementById('mdbook-sidebar-toggle');
    const box = document.getElementById('mdbook-sidebar-toggle-anchor');
    if (label && box) {
        const button = element('button', { type: 'button', id: label.id, class: label.className, title: label.title,
            'aria-label': label.title, 'aria-controls': 'mdbook-sidebar' }, ...label.childNodes);
        const update = () => button.setAttribute('aria-expanded', box.checked);
        button.addEventListener('click', () => box.click());
        box.addEventListener('change', update);
        update();
        label.replaceWith(button);
    }

    // Screen readers go from landmark to landmark, so every part of a page must be in one.
    document.getElementById('mdbook-menu-bar')?.setAttribute('role', 'banner');

    // The other themes of mdBook would show the same colours as light and dark. They are hidden and
    // not removed, because mdBook may look for the theme that a reader chose in another book.
    for (const name of ['rust', 'coal', 'ayu']) {
        const item = document.getElementById(`mdbook-theme-${name}`)?.parentElement;
        if (!item) continue;
        item.hidden = true;
        item.parentElement.append(item);
    }

    // Puzzles: the reader chooses the next line of the program, one after another.

    /** Makes a list of lines into a puzzle. The sentences are in the answer below the list. */
    function makePuzzle(list) {
        const answer = list.nextElementSibling;
        const reason = letter => [...answer.querySelectorAll('li')]
            .find(item => item.textContent.startsWith(`${letter}: `))?.textContent.slice(3) ?? '';
        const program = element('ol', { class: 'puzzle-program', 'aria-label': 'Your program' });
        const FIRST = 'Choose the first line.';
        const status = element('p', { role: 'status' }, FIRST);
        const lines = [...list.children].map((item, index) => {
            const letter = String.fromCharCode('A'.charCodeAt(0) + index);
            // The other lines keep their letters if this one leaves the list.
            item.value = index + 1;
            const button = element('button', { type: 'button' }, item.firstChild);
            item.append(button);
            button.addEventListener('click', () => choose(line));
            // A wrong line comes after all right lines.
            const line = { letter, item, button, code: button.firstChild, place: Number(item.dataset.place ?? Infinity) };
            return line;
        });
        const open = () => lines.filter(line => line.item.parentElement === list);
        const nextPlace = () => Math.min(...open().map(({ place }) => place));

        function choose(line) {
            for (const { button } of lines) button.classList.remove('wrong');
            if (line.place !== nextPlace()) {
                line.button.classList.add('wrong');
                status.textContent = `${line.letter} is not the next line. ${reason(line.letter)}`;
                return;
            }
            const follower = line.item.nextElementSibling ?? line.item.previousElementSibling;
            line.item.remove();
            program.append(element('li', {}, line.code));
            if (nextPlace() !== Infinity) {
                status.textContent = `${line.letter} is right. Choose the next line.`;
                follower.querySelector('button').focus();
                return;
            }
            for (const { button } of open()) button.disabled = true;
            status.textContent = 'The program is complete. The other lines are wrong. '
                + open().map(({ letter }) => `${letter}: ${reason(letter)}`).join(' ');
            again.focus();
        }

        const again = element('button', { type: 'button' }, 'Start again');
        again.addEventListener('click', () => {
            program.replaceChildren();
            for (const { item, button, code } of lines) {
                button.append(code);
                button.disabled = false;
                button.classList.remove('wrong');
                list.append(item);
            }
            status.textContent = FIRST;
            lines[0].button.focus();
        });
        const board = element('div', { class: 'puzzle-board' });
        list.before(board);
        board.append(status, list, element('div', {}, program, again));
    }

    const isHandout = /\/print\.html$/.test(location.pathname);
    if (!isHandout) document.querySelectorAll('ol.puzzle').forEach(makePuzzle);

    // Paper.

    // A line such as "Start the server:" stays on the page of what follows.
    for (const text of document.querySelectorAll('main p')) {
        if (text.textContent.endsWith(':')) text.classList.add('introduces');
    }

    // A reader cannot open a folded answer on paper.
    let opened = [];
    window.addEventListener('beforeprint', () => {
        opened = [...document.querySelectorAll('main details:not([open])')];
        for (const details of opened) details.open = true;
    });
    window.addEventListener('afterprint', () => {
        for (const details of opened) details.open = false;
    });

    // The hand-out has the programs in short. The whole programs would be most of its pages. It is for
    // students, so the plans for instructors are left out. The answers are at its end, so that a
    // reader can predict first.
    if (isHandout) {
        const main = document.querySelector('main');
        const LEFT_OUT = ['What check says', 'Schedules for a workshop', 'The day before', 'Step by step', 'The helpers', 'The whole program', 'Both programs, whole'];
        for (const heading of main.querySelectorAll('h1, h2')) {
            if (!LEFT_OUT.some(title => heading.textContent.trim().startsWith(title))) continue;
            const end = heading.matches('h1') ? 'h1' : 'h1, h2';
            while (heading.nextElementSibling && !heading.nextElementSibling.matches(end)) heading.nextElementSibling.remove();
            heading.remove();
        }
        const answers = element('section', { class: 'answers' }, element('h1', {}, 'Answers'));
        let chapter;
        for (const found of main.querySelectorAll('h1, details')) {
            if (found.matches('h1')) {
                chapter = found;
            } else if (found.querySelector('summary')?.textContent === 'Answer') {
                if (answers.dataset.chapter !== chapter.id) {
                    answers.dataset.chapter = chapter.id;
                    answers.append(element('h2', {}, chapter.textContent));
                }
                const item = found.closest('li');
                const number = item ? `${[...item.parentElement.children].indexOf(item) + 1}.` : '';
                found.querySelector('summary').remove();
                answers.append(element('div', { class: 'answer' }, number,
                    element('div', {}, ...found.childNodes)));
                found.remove();
            }
        }
        main.append(answers);
    }
})();
