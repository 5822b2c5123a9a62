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

const names = extension => folder =>
    readdirSync(folder).filter(name => name.endsWith(extension)).map(name => basename(name, extension));
const files = names('.html')(book).sort();
// print.html is the hand-out. toc.html is the sidebar for browsers without JavaScript.
const pages = files.filter(name => name !== 'print' && name !== 'toc');
// The page of a lesson has the same name as its Python version.
const lessons = names('.py')(join(book, '../python')).sort();

// What the script prints for a group of checks if the group has no finding.
const groups = {
    quiet: () => `${pages.length} pages, no console error, no request`,
    links: () => `${links.length} links, each to an existing file or heading`,
    narrow: () => `${pages.length} pages at 375 pixels, nothing wider than the page, tabs on the lessons`,
    beside: () => `${lessons.length} lessons at 1400 pixels, Python and Rust side by side, no line cut`,
    tabs: () => `${lessons.length} lessons at 1000 pixels, two tabs that work with the keyboard`,
    plain: () => `${lessons.length} lessons without JavaScript, Python above Rust`,
    presenter: () => `${lessons.length} lessons in presenter mode, no line cut, letters of at least ${smallest.toFixed(1)} pixels`,
    keys: () => 'search, help and presenter mode work with the keyboard, and presenter mode stays on the next page',
    axe: () => `${pages.length} pages in light and dark mode, no serious finding of axe${lesser()}`,
    print: () => `a hand-out with ${lessons.length} lessons and ${answers} answers, without the instructor's notes`,
};
const findings = [];
const find = (group, page, width, what) => findings.push({ group, page, width, what });

const links = [];
const ids = new Map();
const titles = new Map();
const impacts = {};
let answers = 0;
let smallest = Infinity;

function lesser() {
    const counts = Object.entries(impacts).map(([impact, count]) => `${count} ${impact}`);
    return counts.length > 0 ? `; less serious: ${counts.join(', ')}` : '';
}

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

/** Returns the panels and tabs of each pair of programs. */
const pairs = () => [...document.querySelectorAll('.pair')].map(pair => {
    const box = selector => {
        const { left, right, top, bottom, width } = pair.querySelector(selector)?.getBoundingClientRect() ?? {};
        return { left, right, top, bottom, shown: width > 0 };
    };
    return {
        tabs: box('[role="tablist"]').shown,
        selected: [...pair.querySelectorAll('[role="tab"][aria-selected="true"]')].map(tab => tab.textContent),
        panels: [...pair.querySelectorAll('[role="tabpanel"]')].length,
        python: box('.python'),
        rust: box('.rust'),
    };
});

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
const codeSize = () => parseFloat(getComputedStyle(document.querySelector('.pair code')).fontSize);
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
        empty: [...document.querySelectorAll('pre > code, figure:is(.wire, .drawing)')].filter(element => !element.textContent.trim()).length,
    }));
    ids.set(join(book, `${name}.html`), new Set(found.ids));
    links.push(...found.links.map(link => ({ name, link })));
    titles.set(name, found.title);
    const twice = found.ids.find((id, index) => found.ids.indexOf(id) !== index);
    if (twice) find('links', name, 1000, `uses the id ${twice} twice`);
    // If an anchor is missing, mdBook includes nothing and does not print a warning.
    if (found.empty > 0) find('links', name, 1000, 'has an empty program or picture');

    if (!lessons.includes(name)) return;
    const seen = await page.evaluate(pairs);
    if (seen.length === 0) find('plain', name, 1000, 'has no pair of programs');
    for (const { python, rust, tabs } of seen) {
        if (tabs || !python.shown || !rust.shown || python.bottom > rust.top + 1) {
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
    await resize(page, 1400, 900);
    await page.goto(url(`${name}.html`));
    await settled(page);
    const isLesson = lessons.includes(name);
    if (isLesson) {
        for (const { python, rust, tabs, panels } of await page.evaluate(pairs)) {
            if (tabs || panels > 0 || !python.shown || !rust.shown || python.top !== rust.top || python.right > rust.left + 1) {
                find('beside', name, 1400, 'does not show Python beside Rust');
            }
        }
        for (const what of await page.evaluate(cutPrograms)) find('beside', name, 1400, what);
    }
    await screenshot(page, `${name}-light-1400`);

    // The folded parts are opened, so that axe checks them, too.
    await page.evaluate(axe);
    await page.evaluate(() => document.querySelectorAll('main details').forEach(details => { details.open = true; }));
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
            if (impact === 'serious' || impact === 'critical') {
                find('axe', name, 1400, `${colorScheme}: ${help} (${id}, ${impact}), ${where.length} times: ${where.slice(0, 3).join(', ')}`);
            } else {
                impacts[impact] = (impacts[impact] ?? 0) + where.length;
                if (options.screenshots) console.log(`${impact}: ${name}, ${colorScheme}: ${help} (${id}): ${where.slice(0, 2).join(', ')}`);
            }
        }
    }
    await page.evaluate(() => document.querySelectorAll('main details').forEach(details => { details.open = false; }));
    await screenshot(page, `${name}-dark-1400`);
    await page.emulateMedia({ colorScheme: 'light' });

    if (isLesson) await presenter(page, name);
}

async function presenter(page, name) {
    await resize(page, 1280, 720);
    const before = await page.evaluate(codeSize);
    await page.keyboard.press('p');
    await settled(page);
    const size = await page.evaluate(codeSize);
    smallest = Math.min(smallest, size);
    if (size < 20) find('presenter', name, 1280, `shows programs at ${size} pixels`);
    for (const what of ['#mdbook-sidebar', 'details.notes']) {
        if (await page.evaluate(shown, what)) find('presenter', name, 1280, `shows ${what}`);
    }
    await page.locator('[role="tab"][aria-selected="true"]').first().focus();
    const chosen = new Set();
    for (const key of ['Home', 'ArrowRight']) {
        await page.keyboard.press(key);
        await settled(page);
        const seen = await page.evaluate(pairs);
        if (seen.some(({ python, rust, tabs }) => !tabs || python.shown === rust.shown)) {
            find('presenter', name, 1280, 'does not show one language under tabs');
        }
        chosen.add(seen[0]?.selected[0]);
        for (const what of await page.evaluate(cutPrograms)) find('presenter', name, 1280, what);
        await screenshot(page, `${name}-presenter-${seen[0]?.selected[0]}`);
    }
    if (chosen.size !== 2) find('presenter', name, 1280, 'does not show both languages');
    await page.keyboard.press('p');
    await settled(page);
    if (await page.evaluate(codeSize) !== before || !await page.evaluate(shown, '#mdbook-sidebar')) {
        find('presenter', name, 1280, 'does not leave presenter mode after a second p');
    }
    await page.evaluate(() => localStorage.clear());
}

// With JavaScript, in a narrow window.

async function narrow(page, name) {
    await resize(page, 375, 800);
    await page.goto(url(`${name}.html`));
    await settled(page);
    for (const what of await page.evaluate(tooWide)) find('narrow', name, 375, `too wide: ${what}`);
    await screenshot(page, `${name}-375`);
    if (!lessons.includes(name)) return;
    if ((await page.evaluate(pairs)).some(({ tabs, panels }) => !tabs || panels !== 2)) find('narrow', name, 375, 'has no tabs');

    await resize(page, 1000, 800);
    const address = page.url();
    const isTab = () => document.activeElement.getAttribute('role') === 'tab';
    for (let presses = 0; presses < 60 && !await page.evaluate(isTab); presses++) await page.keyboard.press('Tab');
    if (!await page.evaluate(isTab)) return find('tabs', name, 1000, 'has no tab that the key Tab reaches');
    for (const [key, language] of Object.entries({ Home: 'Python', ArrowRight: 'Rust', ArrowLeft: 'Python', End: 'Rust' })) {
        await page.keyboard.press(key);
        for (const { python, rust, tabs, selected } of await page.evaluate(pairs)) {
            const only = language === 'Python' ? python.shown && !rust.shown : rust.shown && !python.shown;
            if (!tabs || !only || selected.join() !== language) find('tabs', name, 1000, `does not show only ${language} after ${key}`);
        }
    }
    if (page.url() !== address) find('tabs', name, 1000, 'opens another page when an arrow key is pressed in the tabs');
    await page.evaluate(() => localStorage.clear());
}

// These checks run once.

async function keys() {
    const page = await open('keys', { viewport: { width: 1280, height: 720 } });
    const presenting = () => document.documentElement.classList.contains('presenter');
    const expect = async (what, is) => { if (!await is) find('keys', basename(page.url(), '.html'), 1280, what); };
    await page.goto(url(`${lessons[0]}.html`));

    await page.keyboard.press('?');
    await expect('does not show the help after ?', page.evaluate(shown, '#mdbook-help-popup'));
    await page.keyboard.press('Escape');
    await expect('still shows the help after Escape', page.evaluate(shown, '#mdbook-help-popup').then(is => !is));

    await page.keyboard.press('p');
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(address => !address.href.includes(lessons[0]));
    await page.waitForLoadState();
    await expect('does not keep presenter mode from the page before', page.evaluate(presenting));
    await page.keyboard.press('?');
    await page.keyboard.press('Escape');
    await expect('leaves presenter mode when the help closes', page.evaluate(presenting));
    await page.keyboard.press('Escape');
    await expect('is still in presenter mode after Escape', page.evaluate(presenting).then(is => !is));

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
        folded: [...document.querySelectorAll('main details')]
            .filter(details => details.checkVisibility() && !details.open).length,
    }));
    answers = found.answers;
    for (const lesson of lessons) {
        if (!found.titles.includes(titles.get(lesson))) find('print', 'print', 688, `does not contain ${lesson}`);
    }
    if (found.folded > 0) find('print', 'print', 688, 'has folded parts');
    for (const what of ['details.notes', '#mdbook-sidebar', '#mdbook-menu-bar', 'main button', '.nav-wrapper a']) {
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
    await Promise.all([keys(), print()]);
} finally {
    await browser.close();
}

for (const [group, ok] of Object.entries(groups)) {
    const own = findings.filter(finding => finding.group === group);
    if (own.length === 0) console.log(`ok: ${ok()}`);
    for (const { page, width, what } of own) console.log(`FAILED: ${page} at ${width} pixels: ${what}`);
}
process.exitCode = findings.length > 0 ? 1 : 0;
