/**
 * What every start loads and some commands load later. The build imports this file everywhere, so that all of it comes in
 * one file: it would put each of these into a file with those that exactly the same commands use, and each file that is
 * loaded costs a start 0.4 ms.
 */
import '../client/errors.ts';
import './endpoints/endpoint-kinds.ts';
import './frame/arguments.ts';
import './frame/failure.ts';
import './frame/text.ts';
import './frame/version.ts';
import './requests/request-text.ts';
import './requests/restart-request.ts';
