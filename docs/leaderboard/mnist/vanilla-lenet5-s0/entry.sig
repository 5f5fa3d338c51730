QqtmzDyQcdkHsqU+csBV7etuxrt4QZ7PqCbe/CW/ow/gw4UXRmTepdsitsnz+MeB9JF9VrU1+l/ZAoHpt/otCw==
