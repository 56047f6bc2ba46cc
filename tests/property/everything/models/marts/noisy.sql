{{ log('noisy is parsed', info=true) }}{{ exceptions.warn('noisy warns') }} select 1 as id
