/** Links and citations in everything that people read. Nothing is fetched: what can be wrong without a network is found. */
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Page, ROOT, readPages } from './prose.ts';
import { citationsIn, isTitle, meantBy, readReferences } from './references.ts';

interface Link {
  page: string;
  folder: string;
  text: string;
  target: string;
}

/** Where links may lead. A new host is a decision, not an accident. */
const HOSTS = new Set([
  'aclanthology.org',
  'arxiv.org',
  'cdla.dev',
  'creativecommons.org',
  'doi.org',
  'github.com',
  'huggingface.co',
  'js.tensorflow.org',
  'nodejs.org',
  'numpy.org',
  'web.stanford.edu',
  'www.incompleteideas.net',
  'www.python.org',
  'z2jh.jupyter.org',
]);
/** Sites that have no https. */
const PLAIN_HTTP = new Set(['www.incompleteideas.net']);

const pages = await readPages();
const references = await readReferences();
const links = pages.flatMap(linksOf);
const external = links.filter(({ target }) => /^[a-z]+:/.test(target));
const inside = links.filter(({ target }) => !/^[a-z]+:/.test(target));

function linksOf({ path, folder, parts }: Page): Link[] {
  return parts.flatMap((part) =>
    [...part.replace(/\s+/g, ' ').matchAll(/\[([^\]]*)\]\(([^)\s]*)\)/g)].map(
      ([, text = '', target = '']) => ({
        page: path,
        folder,
        text,
        target,
      }),
    ),
  );
}

/** The anchors of a page's headings, as GitHub makes them. */
async function anchorsOf(path: string): Promise<string[]> {
  const text = await readFile(path, 'utf8');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

/** Titles of all arXiv papers in the table, by id. */
const papers = new Map(
  references.flatMap((reference) => {
    const id = /^\[arXiv:(\d{4}\.\d{4,5})\]/.exec(reference.where)?.[1];
    return id === undefined ? [] : [[id, reference] as const];
  }),
);

describe('links', () => {
  it('are found in chapters, pages and cards', () => {
    const read = pages.map(({ path }) => path);
    expect(read).toContain('README.md');
    expect(read).toContain('datasets/stories/CARD.md');
    expect(read).toContain('notebooks/source/03-bert.ts');
    expect(external.length).toBeGreaterThan(80);
    expect(inside.length).toBeGreaterThan(10);
  });

  it('inside the repository lead to a file, and to a heading in it', async () => {
    const broken: string[] = [];
    for (const { page, folder, target } of inside) {
      const [path = '', anchor] = decodeURIComponent(target).split('#');
      const file = path === '' ? join(ROOT, page) : resolve(folder, path);
      const outside = !file.startsWith(`${ROOT}/`);
      const there = (await stat(file).catch(() => undefined)) !== undefined;
      const found = anchor === undefined || (there && (await anchorsOf(file)).includes(anchor));
      if (outside || !there || !found) broken.push(`${page}: ${target}`);
    }
    expect(broken).toEqual([]);
  });

  it('to the outside are well formed, by https, to hosts that we know', () => {
    const wrong = external.filter(({ target }) => {
      if (!URL.canParse(target)) return true;
      const { protocol, hostname, username, port } = new URL(target);
      const secure = protocol === 'https:' || (protocol === 'http:' && PLAIN_HTTP.has(hostname));
      return !secure || !HOSTS.has(hostname) || username !== '' || port !== '';
    });
    expect(wrong).toEqual([]);
  });

  it('to arXiv name a paper of the table by its title', () => {
    const wrong = external.filter(({ target, text, page }) => {
      if (new URL(target).hostname !== 'arxiv.org') return false;
      const id = /^https:\/\/arxiv\.org\/abs\/(\d\d(?:0[1-9]|1[0-2])\.\d{4,5})$/.exec(target)?.[1];
      const paper = papers.get(id ?? '');
      if (paper === undefined) return true;
      if (page === 'docs/references.md') return text !== `arXiv:${id}`;
      // A citation may be a link itself.
      return (
        !isTitle(text, paper.title) &&
        citationsIn(text).every((one) => !meantBy(one, references).includes(paper))
      );
    });
    expect(wrong).toEqual([]);
  });
});

describe('the table of references', () => {
  it('has each work once, in the order of names and years, with identifiers that can be', () => {
    const keys = references.map(({ authors, year, title }) => `${authors[0]} ${year} ${title}`);
    expect(new Set(keys).size).toBe(keys.length);
    const names = references.map(({ authors }) => authors[0] ?? '');
    expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b, 'en')));
    for (const { where, year, title } of references) {
      const id = /arxiv\.org\/abs\/(\d\d)(\d\d)\.(\d{4,5})\)/.exec(where);
      expect(where.includes('arXiv'), title).toBe(id !== null);
      if (id === null) continue;
      // Before 2015 numbers had four digits. Papers appear there up to three years before they are printed.
      const posted = 2000 + Number(id[1]);
      expect(id[3]?.length, title).toBe(posted < 2015 ? 4 : 5);
      expect(Number(year) - posted, title).toBeGreaterThanOrEqual(-1);
      expect(Number(year) - posted, title).toBeLessThanOrEqual(3);
    }
  });

  it('has every work that is cited, with the number of authors and the title that the citation gives', () => {
    const wrong: string[] = [];
    for (const { path, parts } of pages) {
      for (const citation of parts.flatMap(citationsIn)) {
        const meant = meantBy(citation, references);
        const named = citation.title;
        if (meant.length === 0) wrong.push(`${path}: ${citation.text}: not in docs/references.md`);
        else if (named !== undefined && !meant.some(({ title }) => isTitle(named, title)))
          wrong.push(`${path}: ${citation.text}: "${named}" is not "${meant[0]?.title}"`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('has no work that nobody cites', () => {
    const cited = new Set(
      pages.flatMap(({ parts }) => parts.flatMap(citationsIn).flatMap((one) => meantBy(one, references))),
    );
    const linked = new Set(
      links.flatMap(({ page, target }) => (page === 'docs/references.md' ? [] : [target])),
    );
    const unused = references.filter((reference) => {
      const address = /\]\((.+)\)/.exec(reference.where)?.[1];
      return !cited.has(reference) && !(address !== undefined && linked.has(address));
    });
    expect(unused.map(({ title }) => title)).toEqual([]);
  });
});

describe('what a chapter takes from a figure, a table or an equation of a paper', () => {
  it('says of which: a work is cited in the same cell or before', () => {
    const wrong: string[] = [];
    for (const { path, parts } of pages.filter(({ path: one }) => basename(dirname(one)) === 'source')) {
      let cited = false;
      for (const part of parts) {
        cited ||= citationsIn(part).length > 0;
        const place = /\b(figure|table|equation|appendix|section) [A-Z]?\.?\d+(\.\d+)*\b/.exec(part)?.[0];
        if (place !== undefined && !cited) wrong.push(`${path}: ${place}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('the search for citations', () => {
  it.each([
    ['as Vaswani et al. (2017) show', ['Vaswani', 'et al.'], '2017'],
    ['(Zhang and Sennrich, 2019, equation 4)', ['Zhang', 'Sennrich'], '2019'],
    ['Guo, Pleiss, Sun and Weinberger, 2017', ['Guo', 'Pleiss', 'Sun', 'Weinberger'], '2017'],
    ['of Shazeer (2020, [GLU', ['Shazeer'], '2020'],
  ])('finds %s', (text, authors, year) => {
    expect(citationsIn(text)).toMatchObject([{ authors, year }]);
  });

  it('takes the title behind a citation, and not two authors for many', () => {
    expect(citationsIn('Lan et al., 2020, *ALBERT: a lite BERT*.')[0]?.title).toBe('ALBERT: a lite BERT');
    const [one] = citationsIn('Zhang et al., 2019');
    expect(one && meantBy(one, references)).toEqual([]);
    expect(isTitle('BERT', 'BERT: pre-training of deep transformers')).toBe(true);
    expect(isTitle('BART', 'BERT: pre-training of deep transformers')).toBe(false);
  });
});
