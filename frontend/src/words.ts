// Amplify's words, in the case and with the terms of the rest of the page.
import { I18n } from 'aws-amplify/utils'

const WORDS: Record<string, string> = {
  'Sign In': 'Sign in',
  'Back to Sign In': 'Back to sign-in',
  'Create Account': 'Create account',
  'Creating Account': 'Creating the account…',
  'Signing in': 'Signing in…',
  'Enter your Username': 'Enter your username',
  'Enter your Password': 'Enter your password',
  'Enter your Email': 'Enter your e-mail',
  Email: 'E-mail',
  'Confirm Password': 'Repeat the password',
  'Please confirm your Password': 'Enter the password again',
  'We Emailed You': 'Enter the code',
  'Your code is on the way. To log in, enter the code we emailed to': 'We have sent it by e-mail to',
  'Confirmation Code': 'Code',
  'Enter your code': 'Enter the code',
  'Resend Code': 'Send a new code',
  'Reset Password': 'Reset the password',
  'Send code': 'Send a code',
  'New Password': 'New password',
}

export function putOurWords(): void {
  I18n.putVocabularies({ en: WORDS })
  I18n.setLanguage('en')
}
