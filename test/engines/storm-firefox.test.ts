// The storm of support/storms.ts in Firefox.
import { firefox } from './support/firefox.ts';
import { storms } from './support/storms.ts';

storms(firefox);
