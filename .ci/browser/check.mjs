// Checks the built book in a browser. It opens the pages from files, without a network.
//   node .ci/browser/check.mjs BOOK [--screenshots FOLDER]
// BOOK must be docs/book, because its pages have relative links to the examples. The script
// .ci/book installs the packages. The browser is CHROMIUM, or the one of Debian.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const require = createRequire(new URL('../../target/browser/', import.meta.url));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const { positionals, values: options } =
    parseArgs({ allowPositionals: true, options: { screenshots: { type: 'string' } } });
if (positionals.length !== 1) throw new Error('usage: check.mjs BOOK [--screenshots FOLDER]');
const book = resolve(positionals[0]);
const url = name => pathToFileURL(join(book, name)).href;

/** Returns the names of the files in a folder, and below it, without this ending. */
const names = (extension, folder) => readdirSync(folder, { recursive: true })
    .filter(name => name.endsWith(extension)).map(name => name.slice(0, -extension.length));
const files = names('.html', book).sort();
// print.html is the hand-out. toc.html is the sidebar for browsers without JavaScript.
const pages = files.filter(name => name !== 'print' && name !== 'toc');
// The page of a lesson has the same name as its Python version.
const lessons = names('.py', join(book, '../python')).filter(name => !name.includes('/')).sort();
// The pages of the steps from an empty file.
const paths = pages.filter(name => readFileSync(join(book, `${name}.html`), 'utf8').includes('class="step"'));

/** Returns the recordings of a page that a replay plays. */
const recordings = name => [...readFileSync(join(book, `${name}.html`), 'utf8')
    .matchAll(/<div class="watch" data-program="(\w+(?:-short)?)">([^]*?)<\/div>/g)]
    .flatMap(([, program, div]) => [...div.matchAll(/<script type="application\/json" data-language="(\w+)">([^]*?)<\/script>/g)]
        .map(([, language, json]) => ({ name, program, language, recording: JSON.parse(json) })));
/** Returns what the address of a step begins with. */
const stepOf = ({ program, language }) =>
    `${program.endsWith('-short') ? 'short-' : ''}${language === 'python' ? 'python-' : ''}step-`;
const replays = pages.flatMap(recordings);
const played = [...new Set(replays.map(({ name }) => name))];

// What the script prints for a group of checks if the group has no finding.
const groups = {
    quiet: () => `${pages.length} pages, no console error, no request`,
    links: () => `${links.length} links, each to an existing file or heading`,
    narrow: () => `${pages.length} pages at ${NARROW} pixels, nothing wider than the page`,
    columns: () => `${lessons.length} lessons at ${WIDTHS.join(', ')} pixels: programs in short side by side from 1280 pixels, all programs from 1600, no line cut, letters of at least 13 pixels`,
    plain: () => `${lessons.length} lessons without JavaScript, Python above Rust`,
    presenter: () => `${lessons.length} lessons in presenter mode, no line cut, letters of at least ${smallest.toFixed(1)} pixels`,
    keys: () => 'search, help, notes and presenter mode work with the keyboard, and presenter mode stays on the next page',
    search: () => `${SEARCHES.length} searches, each with the right page among the first three`,
    puzzles: () => `${puzzles.length} puzzles, solved with the keyboard`,
    steps: () => `${paths.length} pages of steps: new lines marked, the latest commands in view, the card on one sheet`,
    replays: () => `${replays.length} replays, each step by keyboard and by mouse, at ${[...new Set(WAYS.flat().map(({ width }) => width))].join(', ')} pixels, in light and dark mode`,
    axe: () => `${pages.length} pages in light and dark mode, no finding of axe`,
    print: () => `a hand-out with ${lessons.length} lessons and ${answers} answers, without the instructor's notes`,
};
const NARROW = 390;
const WIDTHS = [1000, 1280, 1440, 1600, 1920];
/** The smallest letters of a program, in pixels. */
const READABLE = 13;

/** How the script plays the replays of a page. Of two neighbours, each page has one of these. */
const WAYS = [
    [
        { width: 1280, height: 720, colorScheme: 'light', by: 'keyboard' },
        { width: 390, height: 844, colorScheme: 'dark', by: 'mouse' },
    ],
    [
        { width: 1920, height: 1080, colorScheme: 'dark', by: 'mouse' },
        { width: 390, height: 844, colorScheme: 'light', by: 'keyboard' },
    ],
];

/** What a reader types into the search, and the pages that answer. One of them must be among the first three. */
const SEARCHES = [
    ['Address already in use', 'troubleshooting'],
    ['Only one usage of each socket address', 'troubleshooting'],
    ['Connection reset by peer', 'troubleshooting'],
    ['forcibly closed', 'troubleshooting'],
    ['actively refused', 'troubleshooting'],
    ['Connection refused', 'troubleshooting'],
    ['Broken pipe', 'troubleshooting', 'errors'],
    ['SIGPIPE', 'troubleshooting', 'errors'],
    ['100% CPU', 'troubleshooting', 'poll_server'],
    ['recv returns b\'\'', 'troubleshooting'],
    ['localhost ::1', 'troubleshooting', 'getaddrinfo'],
    ['netcat', 'troubleshooting'],
    ['nc does not exit', 'troubleshooting'],
    ['KeyboardInterrupt', 'troubleshooting'],
    ['10054', 'troubleshooting', 'errors'],
    ['10048', 'troubleshooting', 'errors'],
    ['errno 104', 'troubleshooting', 'errors'],
    ['struct.error', 'troubleshooting', 'recvall_server'],
    ['readline', 'troubleshooting'],
    ['client hangs', 'troubleshooting'],
    ['exception in a pool thread', 'troubleshooting', 'thread_pool'],
    ['can\'t decode byte', 'troubleshooting', 'udp_server'],
    ['truncated', 'troubleshooting', 'udp_server_bytes'],
    ['message boundaries', 'recvall_server', 'tcp_server', 'udp_server_bytes', 'glossary'],
    ['TIME_WAIT', 'troubleshooting', 'tcp_server', 'glossary'],
    ['Resource temporarily unavailable', 'troubleshooting', 'errors'],
    ['Too many open files', 'troubleshooting'],
    ['Can\'t assign requested address', 'troubleshooting', 'errors'],
    ['forbidden by its access permissions', 'troubleshooting', 'errors'],
    ['No route to host', 'troubleshooting', 'errors'],
    ['getaddrinfo failed', 'troubleshooting', 'errors'],
    ['unpack requires a buffer of 4 bytes', 'troubleshooting', 'recvall_server'],
    ['exit status 141', 'troubleshooting', 'check_says'],
    ['ThreadPoolExecutor', 'troubleshooting', 'thread_pool', 'check_says'],
    ['Ctrl-C Windows', 'troubleshooting'],
    ['what check says', 'check_says'],
    ['tcpdump', 'see_it_yourself'],
    ['ownership', 'rust_ownership'],
    ['question mark', 'rust_basics'],
];

const findings = [];
const find = (group, page, width, what) => findings.push({ group, page, width, what });

const links = [];
const ids = new Map();
const titles = new Map();
let answers = 0;
let smallest = Infinity;
let puzzles = [];

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
        '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
    // A reader's window has scrollbars, and they make the page narrower.
    ignoreDefaultArgs: ['--hide-scrollbars'],
});

/** Opens a page. Each error on its console and each request to the network is a finding. */
async function open(name, settings) {
    const context = await browser.newContext({ reducedMotion: 'reduce', colorScheme: 'light', ...settings });
    const page = await context.newPage();
    const width = () => page.viewportSize().width;
    const at = () => basename(new URL(page.url()).pathname, '.html') || name;
    page.on('console', message => {
        if (message.type() === 'error') find('quiet', at(), width(), `error on the console: ${message.text()}`);
    });
    page.on('pageerror', error => find('quiet', at(), width(), `error in a script: ${error.message}`));
    page.on('request', request => {
        if (!/^(file|data|blob):/.test(request.url())) find('quiet', at(), width(), `requests ${request.url()}`);
    });
    page.on('requestfailed', request => {
        // The browser aborts the request for the icon when the script opens the next page.
        const { errorText } = request.failure();
        if (errorText !== 'net::ERR_ABORTED') find('quiet', at(), width(), `cannot load ${request.url()}: ${errorText}`);
    });
    // print.html would open the print dialogue of the browser.
    await page.addInitScript(() => { window.print = () => {}; });
    return page;
}

// These functions run inside the page.

/** Returns the programs with a line that is wider than its box. */
const cutPrograms = () => [...document.querySelectorAll('.pair pre > code')]
    .filter(code => code.getClientRects().length > 0 && code.scrollWidth > code.clientWidth)
    .map(code => `${code.className} is ${code.scrollWidth - code.clientWidth} pixels too wide`);

/** Returns where the programs of each visible pair are. */
const pairs = () => [...document.querySelectorAll('.pair')].filter(pair => pair.checkVisibility()).map(pair => {
    const box = selector => {
        const { left, right, top, bottom, width } = pair.querySelector(selector)?.getBoundingClientRect() ?? {};
        return { left, right, top, bottom, shown: width > 0 };
    };
    return {
        isShort: pair.classList.contains('short'),
        isBoth: pair.children.length === 2,
        size: parseFloat(getComputedStyle(pair.querySelector('code')).fontSize),
        python: box('.python'),
        rust: box('.rust'),
    };
});

/** Returns the commands that a button covers. */
const coveredCommands = () => [...document.querySelectorAll('.command')].filter(command => {
    const button = command.closest('pre').querySelector('.buttons')?.getBoundingClientRect();
    if (!button?.width) return false;
    const range = document.createRange();
    range.selectNodeContents(command);
    return [...range.getClientRects()].some(({ left, right, top, bottom }) =>
        right > button.left && left < button.right && bottom > button.top && top < button.bottom);
}).map(command => `a button covers: ${command.textContent}`);

/** Opens all folded parts, or closes them. */
const fold = open => document.querySelectorAll('main details').forEach(details => { details.open = open; });

/** Returns the elements that are wider than the page and not inside a box that scrolls. */
const tooWide = () => {
    const width = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll('main *, #mdbook-menu-bar *')].filter(element => {
        if (element.closest('svg') && element.tagName !== 'svg') return false;
        const { left, right } = element.getBoundingClientRect();
        if (right <= width + 0.5 && left >= -0.5 || right === left) return false;
        for (let around = element.parentElement; around.tagName !== 'BODY' && around.id !== 'mdbook-content'; around = around.parentElement) {
            if (/auto|scroll|hidden/.test(getComputedStyle(around).overflowX)) return false;
        }
        return getComputedStyle(element).visibility !== 'hidden';
    }).map(element => `${element.tagName.toLowerCase()} ${element.className} "${element.textContent.trim().slice(0, 40)}"`);
    const scrolls = document.scrollingElement.scrollWidth > width ? ['the page scrolls sideways'] : [];
    return [...scrolls, ...wide.slice(0, 3)];
};

const shown = selector => [...document.querySelectorAll(selector)].some(element => element.checkVisibility());
/** Waits for two frames, in which layout and observers finish, and for the end of animations. */
const settled = page => page.evaluate(async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame();
    await frame();
    await Promise.allSettled(document.getAnimations().map(animation => animation.finished));
});

async function resize(page, width, height) {
    await page.setViewportSize({ width, height });
    await settled(page);
}

async function screenshot(page, name, fullPage = true) {
    if (!options.screenshots) return;
    const { width } = page.viewportSize();
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.screenshot({
        path: join(options.screenshots, `${name}.png`),
        // Without the clip, the picture of a full page lacks the width of the scrollbar.
        ...fullPage && { fullPage, clip: { x: 0, y: 0, width, height } },
    });
}

// Without JavaScript, a page shows what is in its file.

async function plain(page, name) {
    await page.goto(url(`${name}.html`));
    const found = await page.evaluate(() => ({
        ids: [...document.querySelectorAll('[id]')].map(element => element.id),
        links: [...document.querySelectorAll('[href], [src]')]
            .map(element => element.getAttribute('href') ?? element.getAttribute('src')),
        title: document.querySelector('main h1')?.textContent,
        empty: [...document.querySelectorAll('pre > code')].filter(element => !element.textContent.trim()).length,
        pictures: [...document.images].filter(image => image.naturalWidth === 0).map(image => image.src),
        replays: [...document.querySelectorAll('.watch')].filter(watch => watch.offsetHeight > 0).length,
    }));
    // replay.js shows a step for these names. In the hand-out, the script removes the links.
    const steps = (name === 'print' ? replays : recordings(name))
        .flatMap(replay => replay.recording.steps.map((step, index) => `${stepOf(replay)}${index + 1}`));
    ids.set(join(book, `${name}.html`), new Set([...found.ids, ...steps]));
    if (found.replays > 0) find('plain', name, 1000, 'shows a replay without JavaScript');
    links.push(...found.links.map(link => ({ name, link })));
    titles.set(name, found.title);
    const twice = found.ids.find((id, index) => found.ids.indexOf(id) !== index);
    if (twice) find('links', name, 1000, `uses the id ${twice} twice`);
    if (found.empty > 0) find('links', name, 1000, 'has an empty program');
    for (const picture of found.pictures) find('links', name, 1000, `does not show ${picture}`);

    if (!lessons.includes(name)) return;
    await page.evaluate(fold, true);
    const seen = (await page.evaluate(pairs)).filter(({ isBoth, isShort }) => isBoth && !isShort);
    if (seen.length === 0) find('plain', name, 1000, 'has no pair of programs');
    for (const { python, rust } of seen) {
        if (!python.shown || !rust.shown || python.bottom > rust.top + 1) {
            find('plain', name, 1000, 'does not show Python above Rust');
        }
    }
}

function checkLinks() {
    for (const { name, link } of links) {
        if (!URL.canParse(link, url(`${name}.html`))) {
            find('links', name, 1000, `has an invalid link: ${link}`);
            continue;
        }
        const target = new URL(link, url(`${name}.html`));
        if (/^https?:$/.test(target.protocol)) {
            if (!target.hostname.includes('.')) find('links', name, 1000, `has a link without a host: ${link}`);
        } else if (target.protocol === 'file:') {
            const path = fileURLToPath(target);
            const fragment = decodeURIComponent(target.hash.slice(1));
            if (!existsSync(path)) find('links', name, 1000, `links to a missing file: ${link}`);
            else if (fragment && !ids.get(path)?.has(fragment)) find('links', name, 1000, `links to a missing heading: ${link}`);
        } else if (target.protocol !== 'data:') {
            find('links', name, 1000, `has a link with an unexpected protocol: ${link}`);
        }
    }
}

// With JavaScript, in a wide window.

async function wide(page, name) {
    // In a narrow window, mdBook would close the sidebar.
    await resize(page, 1280, 900);
    await page.goto(url(`${name}.html`));
    const isLesson = lessons.includes(name);
    if (isLesson) {
        await page.evaluate(fold, true);
        for (const width of WIDTHS) {
            await resize(page, width, 900);
            await columns(page, name, width);
        }
        await page.evaluate(fold, false);
    }
    await resize(page, 1400, 900);
    await screenshot(page, `${name}-light-1400`);

    // The folded parts are opened, so that axe checks them, too.
    await page.evaluate(axe);
    await page.evaluate(fold, true);
    await settled(page);
    for (const what of await page.evaluate(coveredCommands)) find('columns', name, 1400, what);
    for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await settled(page);
        const violations = await page.evaluate(async () => {
            const { violations } = await window.axe.run(document, {
                runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
                resultTypes: ['violations'],
                preload: false, // Pages from files may not request their style sheets.
            });
            return violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, where: nodes.map(node => node.target.join(' ')) }));
        });
        for (const { id, impact, help, where } of violations) {
            find('axe', name, 1400, `${colorScheme}: ${help} (${id}, ${impact}), ${where.length} times: ${where.slice(0, 3).join(', ')}`);
        }
    }
    await page.evaluate(fold, false);
    await screenshot(page, `${name}-dark-1400`);
    await page.emulateMedia({ colorScheme: 'light' });

    if (isLesson) await presenter(page, name);
}

/** Both programs of a pair are next to each other: side by side if both fit, otherwise Python is above Rust. */
async function columns(page, name, width) {
    for (const { isBoth, isShort, python, rust, size } of await page.evaluate(pairs)) {
        const sideBySide = python.top === rust.top && python.right <= rust.left + 1;
        const expected = width >= (isShort ? 1280 : 1600);
        if (isBoth && expected !== sideBySide) find('columns', name, width, `shows Python and Rust ${expected ? 'not ' : ''}side by side`);
        if (size < READABLE) find('columns', name, width, `shows a program at ${size} pixels`);
    }
    for (const what of await page.evaluate(cutPrograms)) find('columns', name, width, what);
}

async function presenter(page, name) {
    await resize(page, 1280, 720);
    await page.evaluate(fold, true);
    const before = await page.evaluate(pairs);
    await page.keyboard.press('p');
    await settled(page);
    for (const what of ['#mdbook-sidebar', 'details.notes']) {
        if (await page.evaluate(shown, what)) find('presenter', name, 1280, `shows ${what}`);
    }
    const smallPictures = () => [...document.querySelectorAll('.wire img')]
        .filter(picture => picture.checkVisibility() && picture.getBoundingClientRect().height < picture.naturalHeight - 1).length;
    if (await page.evaluate(smallPictures) > 0) find('presenter', name, 1280, 'shows a picture below its own size');
    const languages = new Set();
    for (const _ of ['python', 'rust']) {
        const seen = await page.evaluate(pairs);
        for (const { isBoth, python, rust, size } of seen) {
            if (isBoth && python.shown === rust.shown) find('presenter', name, 1280, 'does not show one language');
            if (isBoth) languages.add(python.shown ? 'python' : 'rust');
            smallest = Math.min(smallest, size);
            if (size < 16) find('presenter', name, 1280, `shows a program at ${size} pixels`);
        }
        for (const what of await page.evaluate(cutPrograms)) find('presenter', name, 1280, what);
        await screenshot(page, `${name}-presenter-${[...languages].at(-1)}`);
        await page.keyboard.press('l');
        await settled(page);
    }
    if (languages.size !== 2) find('presenter', name, 1280, 'does not show both languages');
    await page.keyboard.press('p');
    await settled(page);
    const after = await page.evaluate(pairs);
    if (after[0]?.size !== before[0]?.size || !await page.evaluate(shown, '#mdbook-sidebar')) {
        find('presenter', name, 1280, `does not leave presenter mode after a second p: ${after[0]?.size} instead of ${before[0]?.size}`);
    }
    await page.evaluate(() => localStorage.clear());
}

// With JavaScript, in a narrow window.

async function narrow(page, name) {
    await resize(page, NARROW, 800);
    await page.goto(url(`${name}.html`));
    await page.evaluate(fold, true);
    await settled(page);
    for (const what of await page.evaluate(tooWide)) find('narrow', name, NARROW, `too wide: ${what}`);
    for (const what of await page.evaluate(coveredCommands)) find('narrow', name, NARROW, what);
    await page.evaluate(fold, false);
    await screenshot(page, `${name}-${NARROW}`);
}

// These checks run once.

async function keys() {
    const page = await open('keys', { viewport: { width: 1280, height: 720 } });
    const presenting = () => document.documentElement.classList.contains('presenter');
    const expect = async (what, is) => { if (!await is) find('keys', basename(page.url(), '.html'), 1280, what); };
    const first = 'udp_server_bytes';
    await page.goto(url(`${first}.html`));

    await page.keyboard.press('?');
    await expect('does not show the help after ?', page.evaluate(shown, '#mdbook-help-popup'));
    await page.keyboard.press('Escape');
    await expect('still shows the help after Escape', page.evaluate(shown, '#mdbook-help-popup').then(is => !is));

    await page.keyboard.press('p');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(address => !address.href.includes(first));
    await page.waitForLoadState();
    await expect('does not keep presenter mode from the page before', page.evaluate(presenting));
    await page.keyboard.press('?');
    await page.keyboard.press('Escape');
    await expect('leaves presenter mode when the help closes', page.evaluate(presenting));
    await page.keyboard.press('Escape');
    await expect('is still in presenter mode after Escape', page.evaluate(presenting).then(is => !is));

    for (const mode of ['the normal mode', 'presenter mode']) {
        await page.keyboard.press('n');
        await expect(`does not show the notes after n in ${mode}`, page.evaluate(shown, 'details.notes[open]'));
        await page.keyboard.press('n');
        await expect(`still shows the notes after a second n in ${mode}`, page.evaluate(shown, 'details.notes[open]').then(is => !is));
        await page.keyboard.press('p');
    }

    const before = await page.evaluate(() => window.scrollY);
    await page.keyboard.press('j');
    await expect('does not go to the first picture after j', page.evaluate(() => window.scrollY).then(after => after > before));
    await page.keyboard.press('k');
    await expect('does not go back after k', page.evaluate(() => window.scrollY).then(after => after <= before));

    // Each j goes to another figure, until the page cannot scroll further. No figure is in a folded part.
    await page.goto(url('tcp_server.html'));
    const figures = await page.locator('main > :is(figure, .watch, .pair, .terminals, .puzzle-board)').count();
    const stops = new Set();
    for (let presses = 0; presses < figures + 3; presses += 1) {
        await page.keyboard.press('j');
        stops.add(await page.evaluate(() => window.scrollY));
    }
    await expect(`stops at ${stops.size} places after j, but has ${figures} pictures, programs and terminals`, stops.size === figures);
    await page.keyboard.press('1');
    await expect('has the heading below the menu bar after 1', page.evaluate(() =>
        document.querySelector('main h2').getBoundingClientRect().bottom
            > document.getElementById('mdbook-menu-bar').getBoundingClientRect().bottom));

    await page.keyboard.press('/');
    await page.waitForFunction(() => document.activeElement.id === 'mdbook-searchbar');
    await page.keyboard.type('recvall p');
    await page.keyboard.press('Backspace');
    await page.keyboard.press('Backspace');
    await expect('enters presenter mode when p is typed in the search', page.evaluate(presenting).then(is => !is));
    const result = page.locator('#mdbook-searchresults a[href*="recvall_server.html"]').first();
    await expect('does not find recvall_server when recvall is typed in the search',
        result.waitFor({ timeout: 5000 }).then(() => true, () => false));
    await screenshot(page, 'search', false);
    await page.context().close();
}

async function search() {
    const page = await open('search', { viewport: { width: 1280, height: 720 } });
    await page.goto(url('index.html'));
    await page.keyboard.press('/');
    for (const [words, ...expected] of SEARCHES) {
        await page.fill('#mdbook-searchbar', words);
        await page.keyboard.press('End');
        const results = page.locator('#mdbook-searchresults a');
        // The line above the results repeats what was typed.
        await page.waitForFunction(typed => document.getElementById('mdbook-searchresults-header')
            ?.textContent.includes(`'${typed}'`), words);
        const first = (await results.evaluateAll(links => links.map(link => new URL(link.href).pathname)))
            .slice(0, 3).map(path => path.slice(path.indexOf('/book/') + '/book/'.length, -'.html'.length));
        if (!expected.some(name => first.includes(name))) {
            find('search', 'index', 1280, `finds ${first.join(', ') || 'nothing'} for "${words}", not ${expected.join(' or ')}`);
        }
    }
    await page.context().close();
}

/** Solves each puzzle. First it chooses a wrong line at each step. */
async function solve() {
    const page = await open('puzzles', { viewport: { width: 1280, height: 720 } });
    puzzles = pages.filter(name => readFileSync(join(book, `${name}.html`), 'utf8').includes('class="puzzle"'));
    for (const name of puzzles) {
        await page.goto(url(`${name}.html`));
        const board = page.locator('.puzzle-board');
        const status = () => board.locator('[role=status]').textContent();
        const choose = async place => {
            const item = place === undefined ? ':not([data-place])' : `[data-place="${place}"]`;
            await board.locator(`.puzzle > li${item} > button`).first().focus();
            await page.keyboard.press('Enter');
        };
        const places = await board.locator('.puzzle > li[data-place]')
            .evaluateAll(items => items.map(item => Number(item.dataset.place)).sort((a, b) => a - b));
        for (const [step, place] of places.entries()) {
            // The wrong choice is a line that comes later. At the first and the last step, it is a
            // line that is not in the program.
            await choose(step === 0 ? undefined : places.findLast(last => last > place));
            if (!/^[A-Z] is not the next line\. .+\.$/.test(await status())) {
                find('puzzles', name, 1280, `says of a wrong line: ${await status()}`);
            }
            await choose(place);
            const isLast = step === places.length - 1;
            const expected = isLast ? /complete.+ [A-Z]: .+\. [A-Z]: .+\.$/ : /is right/;
            if (!expected.test(await status())) find('puzzles', name, 1280, `says of a right line: ${await status()}`);
            if (!await page.evaluate(() => document.activeElement.matches('.puzzle-board button'))) {
                find('puzzles', name, 1280, 'loses the focus after a right line');
            }
        }
        await screenshot(page, `${name}-puzzle`);
        await page.keyboard.press('Enter');
        const left = await board.locator('.puzzle > li').count();
        if (left !== places.length + 2) find('puzzles', name, 1280, `shows ${left} lines after a new start`);
    }
    if (puzzles.length === 0) find('puzzles', 'book', 1280, 'has no puzzle');
    await page.context().close();
}

/** Checks the pages of the steps in presenter mode, and the card on paper. */
async function steps() {
    const page = await open('steps', { viewport: { width: 1280, height: 720 } });
    const texts = () => [...document.querySelectorAll('.step .rust pre > code')].map(code => code.textContent.trimEnd());
    for (const name of paths) {
        const expected = [...readFileSync(join(book, '../src', `${name}.md`), 'utf8')
            .matchAll(/```rust(\S*)\n([^]*?)\n```/g)];
        await page.goto(url(`${name}.html`));
        if ((await page.evaluate(texts)).join() !== expected.map(([, , text]) => text).join()) {
            find('steps', name, 1280, 'shows other programs than its file');
        }
        // Each class `new-3-5` is a mark around these lines.
        const ranges = expected.map(([, classes]) => classes.split(',').filter(Boolean).map(range => range.split('-')));
        const marked = await page.evaluate(() => [...document.querySelectorAll('.step .rust pre > code')].map(code =>
            [...code.querySelectorAll('mark.new')].map(mark => mark.textContent.split('\n').length - 1)));
        if (JSON.stringify(marked) !== JSON.stringify(ranges.map(list => list.map(([, first, last]) => last - first + 1)))) {
            find('steps', name, 1280, 'does not mark the new lines');
        }
        await page.keyboard.press('p');
        const count = await page.locator('.step').count();
        for (let step = 1; step <= Math.min(count, 9); step += 1) {
            await page.keyboard.press(String(step));
            await settled(page);
            const { top, bottom } = await page.locator('.typed').nth(step - 1).evaluate(typed => typed.getBoundingClientRect());
            if (top < 0 || bottom > 721) find('steps', name, 1280, `does not show the latest commands of step ${step}`);
            if (await page.evaluate(shown, 'details.notes')) find('steps', name, 1280, 'shows the script on the projector');
            // The solution of the students' own step is folded.
            const isInView = await page.locator('.step').nth(step - 1).evaluate(section => {
                const mark = [...section.querySelectorAll('mark.new')].find(mark => mark.checkVisibility());
                if (!mark) return section.querySelector('.solution') !== null;
                const { top } = mark.getBoundingClientRect();
                return top > 0 && top < section.querySelector('.typed').getBoundingClientRect().top;
            });
            if (!isInView) find('steps', name, 1280, `does not show the first new line of step ${step}`);
        }
        for (const what of await page.evaluate(cutPrograms)) find('steps', name, 1280, what);
        await screenshot(page, `${name}-presenter`);
        await page.keyboard.press('n');
        await settled(page);
        const summary = await page.evaluate(() => [...document.querySelectorAll('.step details.notes')]
            .find(details => details.getBoundingClientRect().top >= 0)?.querySelector('summary').textContent);
        if (!summary?.startsWith(`Step ${Math.min(count, 9)}:`)) find('steps', name, 1280, `shows the script of ${summary} after n`);
        await page.keyboard.press('p');
    }
    if (paths.length === 0) find('steps', 'book', 1280, 'has no steps');
    await page.goto(url('live/card.html'));
    const sheet = await page.pdf({ format: 'A4', preferCSSPageSize: true });
    const sheets = sheet.toString('latin1').match(/\/Type\s*\/Page\b/g).length;
    if (sheets !== 1) find('steps', 'live/card', 794, `takes ${sheets} sheets of paper`);
    await page.context().close();
}

// Replays.

/** Returns what a replay must show at each step. This is computed from the recording alone. */
function expectedSteps({ programs, threads, terminals, steps }) {
    const now = { rows: 0, threads: {}, kernel: {}, lines: {} };
    return steps.map((step, index) => {
        if (step.x) now.rows += 1;
        for (const what of ['threads', 'kernel', 'lines']) Object.assign(now[what], step[what]);
        const changed = Object.keys(step.threads ?? {});
        return {
            count: `Step ${index + 1} of ${steps.length}.`,
            sentence: step.say.replaceAll('`', ''),
            rows: now.rows,
            marks: Object.entries(now.threads).filter(([, [, state]]) => state !== 'ended').map(([thread, [line, state]]) =>
                `${threads[thread].program} ${line} ${state} ${threads[thread].name || programs[threads[thread].program].name}`).sort(),
            // Of several threads, the replay shows the program of one.
            programs: changed.map(thread => threads[thread].program),
            kernel: [now.kernel.listener ? 'listening socket' : '', ...Object.keys(now.kernel)
                .filter(key => key !== 'listener' && now.kernel[key])].filter(Boolean),
            terminals: Object.fromEntries(terminals.map(({ name, lines }, terminal) =>
                [name, lines.slice(0, now.lines[terminal] ?? 0)]).sort()),
        };
    });
}

/** Returns what a replay shows. */
const seenStep = program => {
    const watch = document.querySelector(`.watch[data-program="${program}"]`);
    const text = selector => watch.querySelector(selector).textContent;
    const codes = [...watch.querySelectorAll('.watch-code')];
    const isIn = (inner, outer) => inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
    const code = codes.find(box => box.checkVisibility());
    const marked = [...code.querySelectorAll('.watch-line[data-state]')];
    const picture = watch.querySelector('.watch-picture');
    const mark = watch.querySelector('.watch-mark');
    const entry = [...watch.querySelectorAll('.watch-kernel .now')].at(-1);
    const buttons = [...watch.querySelectorAll('.watch-controls > button')].map(button => {
        const { x, y, width, height } = button.getBoundingClientRect();
        return { x: x + width / 2, y: y + height / 2 };
    });
    return {
        count: text('.watch-count'),
        sentence: text('.watch-sentence'),
        rows: Math.round((watch.querySelector('.watch-sheet').getBoundingClientRect().height - 44) / 23),
        marks: codes.flatMap((box, index) => [...box.querySelectorAll('.watch-here > span')].map(badge => {
            const line = badge.closest('.watch-line');
            const [, thread] = /^. (.+)$/.exec(badge.textContent);
            return `${index} ${line.querySelector('.watch-number').textContent} ${badge.dataset.state} ${thread}`;
        })).sort(),
        program: codes.indexOf(code),
        kernel: [...watch.querySelectorAll('.watch-kernel tbody th')].map(cell => cell.textContent),
        terminals: Object.fromEntries([...watch.querySelectorAll('.watch-terminals > figure')].map(figure =>
            [figure.firstChild.textContent, [...figure.lastChild.children].map(line => line.textContent)]).sort()),
        lineIsIn: marked.length === 0 || marked.some(line => isIn(line.getBoundingClientRect(), code.getBoundingClientRect())),
        entryIsIn: entry === undefined || isIn(entry.getBoundingClientRect(), watch.querySelector('.watch-kernel').getBoundingClientRect()),
        rowIsIn: !mark.checkVisibility() || isIn(mark.getBoundingClientRect(), picture.getBoundingClientRect()),
        buttons,
        // The page must not scroll, and no box may change its height.
        places: [window.scrollY, ...[...watch.querySelectorAll('.watch-program, .watch-code, .watch-view > *, .watch-controls')]
            .filter(box => box.checkVisibility()).map(box => Math.round(box.getBoundingClientRect().top))].join(' '),
        hasFocus: watch.contains(document.activeElement),
    };
};

/** Opens a step of a replay. */
async function openStep(page, replay, step) {
    await page.goto(`${url(`${replay.name}.html`)}#${stepOf(replay)}${step}`);
    await settled(page);
}

/** Goes through a replay to the end and back. */
async function playThrough(page, replay, { width, colorScheme, by }) {
    const what = `the replay of ${replay.program} in ${replay.language}, ${colorScheme}, by ${by}`;
    const failed = text => find('replays', replay.name, width, `${what}: ${text}`);
    await openStep(page, replay, 3);
    const start = await page.evaluate(program => window.seenStep(program), replay.program);
    if (!start.count.startsWith('Step 3 of ') || !start.hasFocus) failed('does not open #step-3');

    const expected = expectedSteps(replay.recording);
    const last = expected.length - 1;
    // To the end, once more at the end, and back, once more at the start.
    const order = [...expected.keys(), ...[...expected.keys()].reverse(), 0];
    await page.keyboard.press('Home');
    // The page looks at each step by itself, because a question from here for each step takes minutes.
    await page.evaluate(program => {
        const count = document.querySelector(`.watch[data-program="${program}"] .watch-count`);
        window.seenSteps = [window.seenStep(program)];
        window.observer?.disconnect();
        window.observer = new MutationObserver(() => window.seenSteps.push(window.seenStep(program)));
        window.observer.observe(count, { childList: true });
    }, replay.program);
    const [back, , forward] = start.buttons;
    /** Presses a key or a button several times. The browser keeps the order, so nothing waits for one of them. */
    const press = async (times, key, { x, y }) => {
        if (by === 'mouse') await page.mouse.move(x, y);
        await Promise.all(Array.from({ length: times }, () => by === 'keyboard'
            ? [page.keyboard.down(key)]
            : [page.mouse.down(), page.mouse.up()]).flat());
        if (by === 'keyboard') await page.keyboard.up(key);
    };
    await press(last + 1, '.', forward);
    await screenshot(page, `${replay.name}-${stepOf(replay)}${last + 1}-${colorScheme}-${width}`, false);
    const middle = Math.floor(last / 2);
    await press(last - middle, ',', back);
    // Both languages have the same boxes, and half of the pages are dark at this width.
    if (replay.language === 'rust' && width === NARROW) {
        const violations = await page.evaluate(async () => (await window.axe.run('.watch', {
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
            resultTypes: ['violations'],
            preload: false,
        })).violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.target.join(' ')).slice(0, 3).join(', ')}`));
        for (const violation of violations) failed(`axe at step ${middle + 1}: ${violation}`);
    }
    await press(middle + 1, ',', back);

    const all = await page.evaluate(() => window.seenSteps);
    if (all.length !== order.length) failed(`shows ${all.length} steps after ${order.length - 1} clicks or keys`);
    for (const [index, seen] of all.entries()) {
        // The steps after a wrong step are wrong, too.
        const before = findings.length;
        const step = order[index] ?? 0;
        for (const key of ['count', 'sentence', 'rows', 'marks', 'kernel', 'terminals']) {
            const [is, should] = [seen[key], expected[step][key]].map(value => JSON.stringify(value));
            if (is !== should) failed(`shows at step ${step + 1} ${key} ${is}, not ${should}`);
        }
        const { programs } = expected[step];
        if (!seen.sentence.trim()) failed(`has no sentence at step ${step + 1}`);
        if (programs.length > 0 && !programs.includes(seen.program)) failed(`does not show the program of step ${step + 1}`);
        if (!seen.lineIsIn) failed(`does not show a line of a thread at step ${step + 1}`);
        if (!seen.entryIsIn) failed(`does not show what the kernel changes at step ${step + 1}`);
        if (!seen.rowIsIn) failed(`does not show the row of step ${step + 1}`);
        if (seen.places !== all[0].places) failed(`moves at step ${step + 1} from ${all[0].places} to ${seen.places}`);
        if (findings.length > before) break;
    }

    const { words, rows, wide } = await page.evaluate(program => {
        const watch = document.querySelector(`.watch[data-program="${program}"]`);
        return {
            words: [...watch.querySelectorAll('.watch-words li')].map(item => item.textContent),
            // The picture is as high as its head, its rows (docs/generator/src/draw.rs) and a margin.
            rows: (watch.querySelector('.watch-sheet img').naturalHeight - 44 - 16) / 23,
            wide: watch.scrollWidth > watch.clientWidth + 1,
        };
    }, replay.program);
    if (JSON.stringify(words) !== JSON.stringify(expected.map(({ sentence }) => sentence))) failed('has other steps in words');
    if (rows !== expected[last].rows) failed(`draws ${expected[last].rows} rows, but the picture has ${rows}`);
    if (wide) failed('is wider than the page');
    for (const { name, lines } of replay.recording.terminals) {
        if (expected[last].terminals[name].length !== lines.length) failed(`does not fill the terminal ${name}`);
    }
}

/** In presenter mode, the whole replay is in the window. */
async function presentReplay(page, replay) {
    const count = replay.recording.steps.length;
    // The address has step 1 already, and the browser does not open the same address again.
    for (const step of [Math.ceil(count / 2), 1, count]) {
        await openStep(page, replay, step);
        const found = await page.evaluate(program => {
            const watch = document.querySelector(`.watch[data-program="${program}"]`);
            // The sentence and the controls stay at the bottom of the window, and must not cover a box.
            const foot = watch.querySelector('.watch-foot').getBoundingClientRect();
            const boxes = ['.watch-code:not([hidden])', '.watch-picture', '.watch-kernel', '.watch-terminals', '.watch-foot'];
            return boxes.map(selector => {
                const box = watch.querySelector(selector);
                const { top, bottom, height } = box.getBoundingClientRect();
                const most = selector === '.watch-foot' ? window.innerHeight : foot.top;
                return { selector, isIn: top >= 0 && bottom <= most + 1, height, size: parseFloat(getComputedStyle(box).fontSize) };
            });
        }, replay.program);
        for (const { selector, isIn, height, size } of found) {
            if (!isIn) find('replays', replay.name, 1280, `does not show ${selector} in presenter mode at step ${step}`);
            if (height < 60) find('replays', replay.name, 1280, `shows only ${height} pixels of ${selector} in presenter mode`);
            if (selector.startsWith('.watch-code') && size < 16) find('replays', replay.name, 1280, `shows a program at ${size} pixels`);
        }
    }
    await screenshot(page, `${replay.name}-${stepOf(replay)}presenter`, false);
}

/** Plays all replays of a page. */
async function play(page, name) {
    const own = replays.filter(replay => replay.name === name);
    for (const way of WAYS[played.indexOf(name) % WAYS.length]) {
        await page.emulateMedia({ colorScheme: way.colorScheme });
        await page.setViewportSize(way);
        // In a narrow window, mdBook closes the sidebar only when a page loads.
        await page.goto(url(`${name}.html`));
        await page.evaluate(axe);
        await page.evaluate(`window.seenStep = ${seenStep}`);
        for (const replay of own) await playThrough(page, replay, way);
    }
    await resize(page, 1280, 720);
    await page.keyboard.press('p');
    await settled(page);
    for (const replay of own) await presentReplay(page, replay);
    await page.keyboard.press('p');
}

/** Checks the keys of a replay, its links, and that it plays by itself. */
async function replayKeys() {
    if (replays.length === 0) {
        find('replays', 'book', 1280, 'has no replay');
        return;
    }
    // A page with two languages shows more, if there is one.
    const replay = replays.find(({ language }) => language === 'python') ?? replays[0];
    const page = await open('replays', { viewport: { width: 1280, height: 720 } });
    const count = replay.recording.steps.length;
    const expect = async (what, is) => { if (!await is) find('replays', replay.name, 1280, what); };
    const watch = page.locator(`.watch[data-program="${replay.program}"]`);
    const step = async number => (await watch.locator('.watch-count').textContent()).startsWith(`Step ${number} of `);
    const hash = () => page.evaluate(() => location.hash.slice(1));

    await page.goto(url(`${replay.name}.html`));
    for (const key of ['.', 'Home', ' ']) await page.keyboard.press(key);
    await expect('reacts to keys without the focus', step(1));
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.waitForTimeout(400);
    await expect('changes the address before a reader uses the replay', hash().then(is => is === ''));

    await watch.locator('input').focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('.');
    await expect('does not go to step 3 with the keys of the slider', step(3));
    await page.waitForFunction(expected => location.hash === `#${expected}`, `${stepOf(replay)}3`, { timeout: 2000 })
        .catch(() => find('replays', replay.name, 1280, 'does not write the step into the address'));
    await watch.locator('.watch-code:visible').focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForTimeout(200);
    if (!page.url().includes(`/${replay.name}.html`)) {
        find('replays', replay.name, 1280, 'goes to the next page after an arrow key');
        await page.context().close();
        return;
    }
    await page.keyboard.press('End');
    await expect('does not go to the end after End', step(count));
    await page.keyboard.press('Home');
    await expect('does not go to the start after Home', step(1));
    await page.keyboard.press(' ');
    await page.waitForTimeout(2000);
    await page.keyboard.press(' ');
    await expect('does not play one step in two seconds', step(2));
    await page.waitForTimeout(1800);
    await expect('still plays after a pause', step(2));

    await watch.locator('summary').click();
    await watch.locator('.watch-words a').nth(count - 1).click();
    await expect('does not open the last step from the words', step(count));
    await page.keyboard.press(',');
    await expect('does not have the focus after a link', step(count - 1));
    await page.emulateMedia({ media: 'print' });
    await expect('is on paper', page.evaluate(shown, '.watch').then(is => !is));
    await page.emulateMedia({ media: 'screen' });

    const both = replays.filter(({ program }) => program === replay.program);
    const language = () => watch.locator('.watch-languages [aria-pressed=true]').textContent();
    if (both.length === 2) {
        await page.keyboard.press('p');
        const before = await language();
        await page.keyboard.press('l');
        await expect('does not change the language after l', language().then(after => after !== before));
    }
    await page.context().close();
}

async function print() {
    // The width of an A4 page without its margins.
    const page = await open('print', { viewport: { width: 688, height: 1000 } });
    await page.goto(url('print.html'));
    await page.emulateMedia({ media: 'print' });
    await page.evaluate(() => { window.dispatchEvent(new Event('beforeprint')); });
    await settled(page);
    const found = await page.evaluate(() => ({
        titles: [...document.querySelectorAll('main h1')].map(heading => heading.textContent),
        answers: document.querySelectorAll('.answers .answer').length,
        ideas: document.querySelectorAll('figure.idea').length,
        short: document.querySelectorAll('.pair.short').length,
        whole: document.querySelectorAll('.pair.whole').length,
        folded: [...document.querySelectorAll('main details')]
            .filter(details => details.checkVisibility() && !details.open).length,
    }));
    answers = found.answers;
    for (const lesson of lessons) {
        if (!found.titles.includes(titles.get(lesson))) find('print', 'print', 688, `does not contain ${lesson}`);
    }
    if (found.ideas < lessons.length) find('print', 'print', 688, `has only ${found.ideas} drawings of ideas`);
    for (const left of ['check_says', 'schedule', 'helpers', 'live/card', ...paths]) {
        if (found.titles.includes(titles.get(left))) find('print', 'print', 688, `contains ${left}`);
    }
    const short = lessons.filter(name => readFileSync(join(book, `${name}.html`), 'utf8').includes('class="pair short"'));
    if (found.short < short.length) find('print', 'print', 688, `has only ${found.short} programs in short`);
    if (found.whole > 0) find('print', 'print', 688, `has ${found.whole} whole programs`);
    if (found.folded > 0) find('print', 'print', 688, 'has folded parts');
    const toSteps = () => [...document.querySelectorAll('main a')].filter(link => /step-\d+$/.test(link.hash)).length;
    if (await page.evaluate(toSteps) > 0) find('print', 'print', 688, 'has links to steps of replays');
    for (const what of ['details.notes', '#mdbook-sidebar', '#mdbook-menu-bar', 'main button', '.nav-wrapper a', '.watch']) {
        if (await page.evaluate(shown, what)) find('print', 'print', 688, `shows ${what}`);
    }
    for (const what of await page.evaluate(tooWide)) find('print', 'print', 688, `too wide: ${what}`);
    for (const what of await page.evaluate(cutPrograms)) find('print', 'print', 688, what);
    if (options.screenshots) await page.pdf({ path: join(options.screenshots, 'print.pdf'), preferCSSPageSize: true });
    await page.context().close();
}

if (options.screenshots) mkdirSync(options.screenshots, { recursive: true });

/** Runs the checks on every page of the list, with two pages open at a time. */
async function each(list, settings, ...checks) {
    const rest = [...list];
    await Promise.all([0, 1].map(async () => {
        const page = await open('', settings);
        for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
            for (const check of checks) await check(page, name);
        }
        await page.context().close();
    }));
}

try {
    for (const lesson of lessons.filter(name => !pages.includes(name))) find('links', lesson, 1000, 'has no page');
    await each(files, { viewport: { width: 1000, height: 800 }, javaScriptEnabled: false }, plain);
    checkLinks();
    await each(pages, {}, wide, narrow);
    await Promise.all([keys(), solve(), search(), steps(), print(), replayKeys()]);
    await each(played, {}, play);
} finally {
    await browser.close();
}

for (const [group, ok] of Object.entries(groups)) {
    const own = findings.filter(finding => finding.group === group);
    if (own.length === 0) console.log(`ok: ${ok()}`);
    for (const { page, width, what } of own) console.log(`FAILED: ${page} at ${width} pixels: ${what}`);
}
process.exitCode = findings.length > 0 ? 1 : 0;
