// One city: its fields can be edited, its likes and people counted up and down (`inc`, which adds up concurrent counts), and it can be
// deleted. The form follows the live row but for the field that is being typed in; what a rule finds wrong stands below it.
import type { Demo } from './database.js';
import { attempt, byId, formatNumber, formatTime, make } from './dom.js';
import { whatNext, wrongIn } from './wrong.js';

type CityRow = NonNullable<ReturnType<Demo['cities']['get']>>;

export class CityDetail {
  readonly #demo: Demo;
  readonly #panel = byId('city-detail');
  readonly #form = byId<HTMLFormElement>('city-form');
  readonly #problem = byId('city-problem');
  #id = '';
  #stop: () => void = () => {};

  constructor(demo: Demo, onAdded: (id: string) => void) {
    this.#demo = demo;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#save();
    });
    for (const input of this.#inputs()) input.addEventListener('change', () => this.#save());
    byId<HTMLFormElement>('move-form').addEventListener('submit', (event) => {
      event.preventDefault();
      const count = byId<HTMLInputElement>('move-count').valueAsNumber;
      const by = (event.submitter as HTMLButtonElement | null)?.value === 'away' ? -count : count;
      this.#run(() => this.#demo.mutate.movePeople({ id: this.#id, by }));
    });
    demo.problems.subscribe(() => this.#renderWrong());
    byId('city-like').addEventListener('click', () =>
      this.#run(() => this.#demo.mutate.likeCity({ id: this.#id })),
    );
    byId('city-delete').addEventListener('click', () =>
      this.#run(() => this.#demo.mutate.deleteCity({ id: this.#id })),
    );
    byId('city-add').addEventListener('click', () => {
      this.#run(() => {
        const added = this.#demo.mutate.addCity({ name: 'New city', country: 'SE' });
        onAdded(added.result);
      });
      this.#field('name').select();
    });
  }

  show(id: string): void {
    this.#stop();
    this.#id = id;
    this.#render(this.#demo.cities.get(id));
    this.#stop = this.#demo.cities
      .where('id', '=', id)
      .liveFirst()
      .subscribe((city) => this.#render(city));
  }

  /** Its title is in sight and has the focus. */
  focus(): void {
    byId(this.#panel.dataset['state'] === 'city' ? 'city-title' : 'city-gone').focus();
  }

  #render(city: CityRow | undefined): void {
    this.#panel.dataset['state'] = city ? 'city' : this.#id ? 'deleted' : 'none';
    this.#renderWrong();
    if (!city) return;
    byId('city-title').textContent = city.name;
    this.#fill('name', city.name);
    this.#fill('country', city.country);
    this.#fill('population', String(city.population));
    byId('city-likes').textContent = formatNumber(city.likes);
    const facts: [string, string][] = [
      ['Coordinates', `${city.lat.toFixed(3)}, ${city.lon.toFixed(3)}`],
      ['Changed', `${city.modifiedAt.toLocaleDateString('en-GB')} ${formatTime(city.modifiedAt)}`],
      ['Realm', city.realm],
      ['State', this.#demo.cities.isPending(city.id) ? 'only here so far' : 'on the server'],
    ];
    byId('city-facts').replaceChildren(
      ...facts.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]),
    );
  }

  #renderWrong(): void {
    const wrong = wrongIn(this.#demo, this.#id);
    byId('city-wrong').textContent = wrong ? `${wrong.message} ${whatNext(wrong)}` : '';
    if (wrong) this.#field('population').setAttribute('aria-invalid', 'true');
    else this.#field('population').removeAttribute('aria-invalid');
  }

  #inputs(): HTMLInputElement[] {
    return [...this.#form.querySelectorAll('input')];
  }

  #field(name: string): HTMLInputElement {
    return byId<HTMLInputElement>(`city-${name}`);
  }

  #fill(name: string, value: string): void {
    const input = this.#field(name);
    if (input !== document.activeElement) input.value = value;
  }

  #save(): void {
    const city = this.#demo.cities.get(this.#id);
    if (!city) return;
    const patch: { name?: string; country?: string; population?: number } = {};
    const name = this.#field('name').value.trim();
    const country = this.#field('country').value.trim().toUpperCase();
    const population = this.#field('population').valueAsNumber;
    if (name && name !== city.name) patch.name = name;
    if (country && country !== city.country) patch.country = country;
    if (Number.isFinite(population) && population !== city.population)
      patch.population = population;
    if (Object.keys(patch).length > 0)
      this.#run(() => this.#demo.mutate.editCity({ id: city.id, patch }));
    // What was left empty is as it was.
    this.#render(this.#demo.cities.get(this.#id));
  }

  #run(run: () => unknown): void {
    attempt(run, (problem) => {
      this.#problem.textContent = problem;
    });
  }
}
