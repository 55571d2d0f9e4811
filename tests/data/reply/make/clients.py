"""The structure of mails of programs that do not run here: their containers, their order, their habits.

Each function takes a Reply and gives the body of the mail. The markup was written from knowledge of what these
programs send; every text in it is ours.
"""
from dataclasses import dataclass
from html import escape

from mailbox import Multi, Part
from phrases import APPLE, GMAIL, IPHONE, ORIGINAL, OUTLOOK


@dataclass
class Reply:
    typed: str
    quoted: str = ""
    lang: str = "en"
    who: str = "Bob Jones (SMS)"
    addr: str = "+15551234567@sms.msgs.test"
    me: str = "Alice Smith"
    mine: str = "alice@msgs.test"
    subject: str = ""
    footer: str | None = None
    signature: str = ""
    charset: str = "utf-8"
    cte: str = "quoted-printable"
    attribution: str | None = None
    html: str | None = None  # the typed words as markup, where they have any

    def phrase(self, table):
        return self.attribution or table[self.lang].format(who=self.who, addr=self.addr)

    @property
    def quoted_lines(self):
        return self.quoted.split("\n")


def rtl(r):
    return ' dir="rtl"' if r.lang in ("ar", "he", "fa") else ' dir="ltr"'


def divs(text, tag="div", attributes=""):
    return "".join(f"<{tag}{attributes}>{escape(line, quote=False) or '<br>'}</{tag}>" for line in text.split("\n"))


def brs(text, br="<br>"):
    return escape(text, quote=False).replace("\n", br + "\n")


def link(address):
    return f'<a href="mailto:{address}">{escape(address)}</a>'


def attribution_html(r, text):
    return escape(text, quote=False).replace(escape(r.addr), link(r.addr))


def quoted_plain(text, prefix="> "):
    return "\n".join((prefix + line).rstrip() if line else prefix.rstrip() for line in text.split("\n"))


def typed_html(r, as_markup=divs):
    return r.html if r.html is not None else as_markup(r.typed)


def alternative(r, plain, html):
    return Multi("multipart/alternative", [Part("text/plain", plain, r.charset, r.cte), Part("text/html", html, r.charset, r.cte)])


def only_html(r, html):
    return Part("text/html", html, r.charset, r.cte)


def only_plain(r, plain, params=""):
    return Part("text/plain", plain, r.charset, r.cte, params)


# --- Google

def gmail_break(line):
    """Gmail breaks the attribution before the address when the line is longer than its composer."""
    if len(line) <= 76 or "<" not in line:
        return line
    return line.replace("<", "<\n", 1)


def gmail(r, foot=""):
    attribution = r.phrase(GMAIL)
    mark = '<div><br></div><span class="gmail_signature_prefix">-- </span><br><div dir="ltr" class="gmail_signature" ' \
           f'data-smartmail="gmail_signature"><div dir="ltr">{divs(r.signature)}</div></div>' if r.signature else ""
    plain = r.typed + (f"\n\n-- \n{r.signature}" if r.signature else "") + "\n"
    html = f'<div{rtl(r)}>{typed_html(r)}{mark}</div>'
    if r.quoted:
        plain += f"\n{gmail_break(attribution)}\n\n{quoted_plain(r.quoted)}\n>\n"
        html += f'<br><div class="gmail_quote gmail_quote_container"><div{rtl(r)} class="gmail_attr">' \
                f'{attribution_html(r, attribution)}<br></div><blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex;' \
                f'border-left:1px solid rgb(204,204,204);padding-left:1ex">{brs(r.quoted)}<br></blockquote></div>'
    return alternative(r, plain + foot, html + "\n")


def gmail_android(r):
    """The app writes dir=auto; its plain part is made from the HTML."""
    attribution = r.phrase(GMAIL)
    html = f'<div dir="auto">{typed_html(r)}</div><br><div class="gmail_quote gmail_quote_container"><div{rtl(r)} class="gmail_attr">' \
           f'{attribution_html(r, attribution)}<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px ' \
           f'#ccc solid;padding-left:1ex">{brs(r.quoted)}</blockquote></div>'
    return alternative(r, f"{r.typed}\n\n{gmail_break(attribution)}\n\n{quoted_plain(r.quoted)}\n>\n", html)


def gmail_inline(r, pairs):
    """Answers between the quoted lines, as Gmail's composer splits the blockquote."""
    attribution = r.phrase(GMAIL)
    style = 'class="gmail_quote" style="margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"'
    plain, html = f"{gmail_break(attribution)}\n\n", f'<div dir="ltr"><div class="gmail_quote"><div dir="ltr" class="gmail_attr">' \
        f"{attribution_html(r, attribution)}<br></div>"
    for quoted, answer in pairs:
        plain += f"{quoted_plain(quoted)}\n\n{answer}\n\n"
        html += f"<blockquote {style}>{brs(quoted)}</blockquote><div><br></div>{divs(answer)}<div><br></div>"
    return alternative(r, plain, html + "</div></div>")


# --- Apple

def apple_mail(r, order="above"):
    attribution = r.phrase(APPLE)
    quote = f'<div><br><blockquote type="cite"><div>{attribution_html(r, attribution)}</div><br class="Apple-interchange-newline">' \
            f'<div><div style="font-family: Helvetica; font-size: 12px;">{brs(r.quoted)}</div></div></blockquote></div>'
    html = '<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body style="overflow-wrap: ' \
           f'break-word; -webkit-nbsp-mode: space; line-break: after-white-space;">{typed_html(r)}{quote if r.quoted else ""}<br></body></html>'
    plain = r.typed + "\n" + (f"\n{quoted_plain(attribution)}\n> \n{quoted_plain(r.quoted)}\n" if r.quoted else "")
    return alternative(r, plain, html)


def iphone(r):
    attribution, footer = r.phrase(APPLE), IPHONE[r.lang] if r.footer is None else r.footer
    foot = f'<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">{footer}</div>' if footer else ""
    html = '<html><head><meta http-equiv="content-type" content="text/html; charset=utf-8"></head><body dir="auto">' \
           f'<div dir="ltr">{typed_html(r)}{foot}<div dir="ltr"><br><blockquote type="cite">{attribution_html(r, attribution)}<br><br>' \
           f'</blockquote></div><blockquote type="cite"><div dir="ltr">\ufeff<span>{brs(r.quoted)}</span><br></div></blockquote></body></html>'
    plain = f"{r.typed}\n" + (f"\n{footer}\n" if footer else "") + f"\n{quoted_plain(attribution)}\n> \n{quoted_plain(chr(0xfeff) + r.quoted)}\n"
    return alternative(r, plain, html)


def iphone_plain(r):
    """A plain answer from the phone: the footer stands before the quotation."""
    footer = IPHONE[r.lang] if r.footer is None else r.footer
    return only_plain(r, f"{r.typed}\n\n{footer}\n\n{quoted_plain(r.phrase(APPLE))}\n> \n{quoted_plain(r.quoted)}\n")


# --- Microsoft

def header_block(r):
    keys = OUTLOOK[r.lang]
    return [(keys[0], f"{r.who} <{r.addr}>"), (keys[1], keys[4]), (keys[2], f"{r.me} <{r.mine}>"), (keys[3], r.subject)]


def mso(text):
    return "".join(f"<p class=MsoNormal>{escape(line, quote=False) or '<o:p>&nbsp;</o:p>'}{'<o:p></o:p>' if line else ''}</p>"
                   for line in text.split("\n"))


def outlook_desktop(r):
    block = "<br>".join(f"<b>{key}:</b> {escape(value)}" for key, value in header_block(r))
    html = '<html xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" ' \
           'xmlns:w="urn:schemas-microsoft-com:office:word" xmlns="http://www.w3.org/TR/REC-html40"><head><meta http-equiv=' \
           '"Content-Type" content="text/html; charset=utf-8"><meta name=Generator content="Microsoft Word 15 (filtered medium)">' \
           '<style><!--\n/* Font Definitions */\n@font-face\n\t{font-family:Calibri;\n\tpanose-1:2 15 5 2 2 2 4 3 2 4;}\n/* Style ' \
           'Definitions */\np.MsoNormal, li.MsoNormal, div.MsoNormal\n\t{margin:0cm;\n\tfont-size:11.0pt;\n\tfont-family:"Calibri",' \
           'sans-serif;}\n--></style><!--[if gte mso 9]><xml>\n<o:shapedefaults v:ext="edit" spidmax="1026" />\n</xml><![endif]-->' \
           f'</head><body lang=EN-GB link="#0563C1" vlink="#954F72" style=\'word-wrap:break-word\'><div class=WordSection1>' \
           f"{typed_html(r, mso)}<p class=MsoNormal><o:p>&nbsp;</o:p></p>{mso(r.signature) if r.signature else ''}" \
           "<div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p class=MsoNormal><span lang=EN-US>" \
           f"{block}<o:p></o:p></span></p></div><p class=MsoNormal><o:p>&nbsp;</o:p></p>{mso(r.quoted)}</div></body></html>"
    plain = f"{r.typed}\n\n" + (f"{r.signature}\n\n" if r.signature else "") + \
            "\n".join(f"{key}: {value}" for key, value in header_block(r)) + f"\n\n{r.quoted}\n"
    return alternative(r, plain, html)


def owa(r, signature_id="Signature"):
    block = "<br>\n".join(f"<b>{key}:</b> {escape(value)}" for key, value in header_block(r))
    elements = 'class="elementToProof" style="font-family: Aptos, Calibri, Helvetica, sans-serif; font-size: 12pt; color: rgb(0, 0, 0);"'
    sign = f'<div {elements}><br></div><div id="{signature_id}">{divs(r.signature)}</div>' if r.signature else ""
    html = '<html>\n<head>\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\n<style type="text/css" ' \
           'style="display:none;"> P {margin-top:0;margin-bottom:0;} </style>\n</head>\n<body dir="ltr">\n' \
           f'{typed_html(r, lambda text: divs(text, "div", " " + elements))}\n{sign}\n<div id="appendonsend"></div>\n<hr style="display:inline-block;width:98%" ' \
           'tabindex="-1">\n<div id="divRplyFwdMsg" dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt" color="#000000">' \
           f'{block}</font>\n<div>&nbsp;</div>\n</div>\n<div class="BodyFragment"><font size="2"><span style="font-size:11pt;"><div ' \
           f'class="PlainText">{brs(r.quoted)}</div></span></font></div>\n</body>\n</html>\n'
    plain = f"{r.typed}\n\n" + (f"{r.signature}\n" if r.signature else "") + "________________________________\n" + \
            "\n".join(f"{key}: {value}" for key, value in header_block(r)) + f"\n\n{r.quoted}\n"
    return alternative(r, plain, html)


def outlook_mobile(r, app="Outlook for iOS"):
    words = {"en": "Get {}", "de": "{} herunterladen", "fr": "Télécharger {}", "es": "Obtener {}", "it": "Scarica {}",
             "nl": "{} downloaden", "pt": "Obter o {}", "sv": "Hämta {}", "pl": "Pobierz program {}"}[r.lang]
    localized = app if r.lang == "en" else app.replace("for", {"de": "für", "fr": "pour", "es": "para", "it": "per", "nl": "voor",
                                                               "pt": "para", "sv": "för", "pl": "dla"}[r.lang])
    block = "<br>\n".join(f"<b>{key}:</b> {escape(value)}" for key, value in header_block(r))
    before, after = words.split("{}")
    html = '<html><head>\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\n</head>\n<body><div>' \
           f'{typed_html(r)}</div><div id="ms-outlook-mobile-signature" dir="auto"><div><br></div>{before}<a href="https://aka.ms/o0ukef">' \
           f'{localized}</a>{after}</div>\n<hr style="display:inline-block;width:98%" tabindex="-1">\n<div id="divRplyFwdMsg" ' \
           f'dir="ltr"><font face="Calibri, sans-serif" style="font-size:11pt" color="#000000">{block}</font>\n<div>&nbsp;</div></div>' \
           f'\n<div class="BodyFragment">{brs(r.quoted)}</div></body></html>'
    plain = f"{r.typed}\n\n{before}{localized}<https://aka.ms/o0ukef>{after}\n________________________________\n" + \
            "\n".join(f"{key}: {value}" for key, value in header_block(r)) + f"\n\n{r.quoted}\n"
    return alternative(r, plain, html)


def outlook_plain(r):
    """Plain text, the dashed caption."""
    return only_plain(r, f"{r.typed}\n\n" + (f"{r.signature}\n\n" if r.signature else "") + f"-----{ORIGINAL[r.lang]}-----\n" +
                      "\n".join(f"{key}: {value}" for key, value in header_block(r)) + f"\n\n{r.quoted}\n")


def windows_mail(r):
    block = header_block(r)
    html = '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta http-equiv="Content-Type" content="text/html; ' \
           f'charset=utf-8"></head><body lang=EN-US><div class=WordSection1>{mso(r.typed)}<p class=MsoNormal><o:p>&nbsp;</o:p></p>' \
           '<p class=MsoNormal>Sent from <a href="https://go.microsoft.com/fwlink/?LinkId=550986">Mail</a> for Windows</p><p class=' \
           'MsoNormal><o:p>&nbsp;</o:p></p><div style=\'mso-element:para-border-div;border:none;border-top:solid #E1E1E1 1.0pt;' \
           "padding:3.0pt 0in 0in 0in'><p class=MsoNormal style='border:none;padding:0in'>" + \
           "<br>".join(f"<b>{key}: </b>{escape(value)}" for key, value in block) + f"</p></div>{mso(r.quoted)}</div></body></html>"
    plain = f"{r.typed}\n\nSent from Mail for Windows\n\n" + "\n".join(f"{key}: {value}" for key, value in block) + f"\n\n{r.quoted}\n"
    return alternative(r, plain, html)


# --- other webmail

def yahoo(r):
    attribution = r.attribution or f"On Thursday, May 28, 2026 at 10:26:40 PM GMT+2, {r.who} <{r.addr}> wrote:"
    html = '<html><head></head><body><div class="ydp1f3a9c2yahoo-style-wrap" style="font-family:Helvetica Neue, Helvetica, Arial, ' \
           f'sans-serif;font-size:13px;"><div></div>\n{typed_html(r, lambda t: divs(t, "div", " dir=" + chr(34) + "ltr" + chr(34) + " data-setdir=" + chr(34) + "false" + chr(34)))}' \
           '<div><br></div>\n</div><div id="ydp7bd2e1yahoo_quoted_4321" class="ydp7bd2e1yahoo_quoted">\n<div style="font-family:' \
           f"'Helvetica Neue', Helvetica, Arial, sans-serif;font-size:13px;color:#26282a;\">\n<div>\n{attribution_html(r, attribution)}" \
           f'\n</div>\n<div><br></div>\n<div><br></div>\n\n<div><div dir="ltr">{brs(r.quoted, "<br clear=none>")}</div></div>\n</div>\n</div></body></html>'
    plain = " " + r.typed.replace("\n", "\n ") + f"\n\n    {attribution}  \n \n " + r.quoted.replace("\n", "\n ") + "\n  "
    return alternative(r, plain, html)


def yahoo_android(r):
    attribution = r.attribution or f"On Thu, May 28, 2026 at 10:26 PM, {r.who}<{r.addr}> wrote:"
    foot = "Sent from Yahoo Mail on Android"
    html = f'<div id="yahooMailAppContainer">{divs(r.typed)} <br><br><div id="ymail_android_signature"><a id="ymail_android_signature_link" ' \
           f'href="https://go.onelink.me/107872968">{foot}</a></div> <br> <blockquote style="margin: 0 0 20px 0;"> <div style=' \
           f'"font-family:Roboto, sans-serif; color:#6D00F6;"> <div>{attribution_html(r, attribution)}</div> </div> <div style="padding: ' \
           f'10px 0 0 20px; margin: 10px 0 0 0; border-left: 1px solid #6D00F6;"> {brs(r.quoted)} </div> </blockquote></div>'
    plain = f"{r.typed} \n\n{foot} \n \n  {attribution}   {r.quoted}  \n"
    return alternative(r, plain, html)


def proton(r):
    attribution = r.attribution or f"On Thursday, May 28th, 2026 at 10:26 PM, {r.who} <{r.addr}> wrote:"
    html = '<div style="font-family: Arial, sans-serif; font-size: 14px;">' + typed_html(r) + '</div><div style="font-family: Arial, ' \
           'sans-serif; font-size: 14px;"><br></div>\n<div class="protonmail_signature_block" style="font-family: Arial, sans-serif; ' \
           'font-size: 14px;">\n    <div class="protonmail_signature_block-user protonmail_signature_block-empty">\n    </div>\n    ' \
           '<div class="protonmail_signature_block-proton">\n        Sent with <a target="_blank" href="https://proton.me/mail/home">' \
           'Proton Mail</a> secure email.\n    </div>\n</div>\n<div style="font-family: Arial, sans-serif; font-size: 14px;"><br></div>' \
           f'<div class="protonmail_quote">\n        {attribution_html(r, attribution)}<br>\n        <blockquote class="protonmail_quote" ' \
           f'type="cite">\n            {brs(r.quoted)}\n        </blockquote><br>\n    </div>'
    plain = f"{r.typed}\n\nSent with Proton Mail secure email.\n\n{attribution}\n\n{quoted_plain(r.quoted)}\n"
    return alternative(r, plain, html)


def gmx(r):
    html = f'<html><head></head><body><div style="font-family: Verdana;font-size: 12.0px;"><div>{divs(r.typed)}</div>\n\n<div>&nbsp;\n' \
           '<div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; border-left:2px solid #C3D9E5; ' \
           'word-wrap: break-word; -webkit-nbsp-mode: space; -webkit-line-break: after-white-space;">\n<div style="margin:0 0 10px 0;">' \
           f'<b>Gesendet:</b>&nbsp;Donnerstag, 28. Mai 2026 um 22:26 Uhr<br/>\n<b>Von:</b>&nbsp;&quot;{escape(r.who)}&quot; &lt;{r.addr}' \
           f'&gt;<br/>\n<b>An:</b>&nbsp;&quot;{r.me}&quot; &lt;{r.mine}&gt;<br/>\n<b>Betreff:</b>&nbsp;{escape(r.subject)}</div>\n\n' \
           f'<div name="quoted-content">{brs(r.quoted)}</div>\n</div>\n</div>\n</div></body></html>'
    return only_html(r, html)


def gmx_plain(r):
    return only_plain(r, f'{r.typed}\n \n\nGesendet: Donnerstag, 28. Mai 2026 um 22:26 Uhr\nVon: "{r.who}" <{r.addr}>\n'
                         f'An: "{r.me}" <{r.mine}>\nBetreff: {r.subject}\n{r.quoted}\n')


def mail_ru(r):
    attribution = r.attribution or f"Четверг, 28 мая 2026, 22:26 +03:00 от {r.who} <{r.addr}>:"
    foot = f"<div>--<br>{r.signature}</div>" if r.signature else ""
    html = f"\n<HTML><BODY>{divs(r.typed)}<div>&nbsp;</div>{foot}<div>&nbsp;</div><blockquote style=\"border-left:1px solid #0857A6; " \
           f'margin:10px; padding:0 0 0 10px;">{attribution_html(r, attribution)}<br>&nbsp;<div id=""><div class="js-helper js-readmsg-msg">' \
           f'<div><div id="style_17_BODY">{brs(r.quoted)}</div></div></div></div></blockquote></BODY></HTML>\n'
    plain = f"{r.typed}\n \n" + (f"--\n{r.signature}\n \n" if r.signature else "") + f"{attribution}\n \n" + quoted_plain(r.quoted, ">") + "\n"
    return alternative(r, plain, html)


def yandex(r, mobile=True):
    foot = "<div>-- </div><div>Отправлено из мобильного приложения Яндекс Почты</div>" if mobile else ""
    html = f'<div>{divs(r.typed)}</div><div> </div><div> </div><div>28.05.2026, 22:26, "{escape(r.who)}" &lt;{link(r.addr)}&gt;:</div>' \
           f"<blockquote><div>{brs(r.quoted)}</div></blockquote><div> </div><div> </div>{foot}"
    return only_html(r, html)


def qq(r):
    block = "".join(f"<div><b>{key}:</b>&nbsp;{escape(value)}</div>" for key, value in
                    (("发件人", f'"{r.who}" <{r.addr}>'), ("发送时间", "2026年5月28日(星期四) 晚上10:26"), ("收件人", f'"{r.me}"<{r.mine}>'), ("主题", r.subject)))
    html = f"{divs(r.typed)}<div><br></div><div><br></div><div style=\"font-size: 12px;font-family: Arial Narrow;padding:2px 0 2px 0;\">" \
           f'------------------&nbsp;原始邮件&nbsp;------------------</div><div style="font-size: 12px;background:#efefef;padding:8px;">{block}' \
           f"</div><div><br></div>{brs(r.quoted)}"
    plain = f"{r.typed}\n\n\n------------------ 原始邮件 ------------------\n发件人: \"{r.who}\" <{r.addr}>;\n发送时间: 2026年5月28日(星期四) 晚上10:26\n" \
            f"收件人: \"{r.me}\"<{r.mine}>;\n主题: {r.subject}\n\n{r.quoted}\n"
    return alternative(r, plain, html)


def netease(r):
    attribution = r.attribution or f'在 2026-05-28 22:26:40，"{r.who}" <{r.addr}> 写道：'
    html = '<div style="line-height:1.7;color:#000000;font-size:14px;font-family:Arial">' + divs(r.typed) + \
           f'</div><br><br><div style="position:relative;zoom:1"></div><div id="divNeteaseMailCard"></div><br><pre>{escape(attribution, quote=False)}</pre>' \
           f'<blockquote id="isReplyContent" style="PADDING-LEFT: 1ex; MARGIN: 0px 0px 0px 0.8ex; BORDER-LEFT: #ccc 1px solid">{brs(r.quoted)}</blockquote>'
    plain = f"{r.typed}\n\n\n\n\n\n\n\n\n\n\n{attribution}\n{quoted_plain(r.quoted, '>')}\n"
    return alternative(r, plain, html)


def naver(r):
    html = '<html><head><style>p{margin-top:0px;margin-bottom:0px;}</style></head><body><div style="font-size:10pt; font-family:Gulim;">' + \
           divs(r.typed, "p") + '<p><br></p><p>-----Original Message-----<br><b>From:</b> "' + escape(r.who) + f'" &lt;{r.addr}&gt;<br><b>To:</b> "' \
           f'{r.me}" &lt;{r.mine}&gt;; <br><b>Cc:</b> <br><b>Sent:</b> 2026-05-28 (목) 22:26:40 (GMT+09:00)<br><b>Subject:</b> ' \
           f"{escape(r.subject)}<br>&nbsp;</p><p>{brs(r.quoted)}</p></div></body></html>"
    plain = f'{r.typed}\n\n-----Original Message-----\nFrom: "{r.who}" <{r.addr}>\nTo: "{r.me}" <{r.mine}>; \nCc: \nSent: 2026-05-28 (목) ' \
            f"22:26:40 (GMT+09:00)\nSubject: {r.subject}\n\n{r.quoted}\n"
    return alternative(r, plain, html)


def zoho(r):
    attribution = f"---- On Thu, 28 May 2026 22:26:40 +0200 {r.who} <{r.addr}> wrote ---"
    html = '<!DOCTYPE html><html><head><meta content="text/html;charset=UTF-8" http-equiv="Content-Type"></head><body ><div style="font-family: ' \
           f'Verdana, Arial, Helvetica, sans-serif; font-size: 10pt;">{divs(r.typed)}<div><br></div><div class="zmail_extra_hr" style="border-top: ' \
           '1px solid rgb(204, 204, 204); height: 0px; margin-top: 10px; margin-bottom: 10px; line-height: 0px;"><br></div><div class="zmail_extra" ' \
           f'data-zbluepencil-ignore="true"><br><div id="Zm-_Id_-Sgn1">---- On Thu, 28 May 2026 22:26:40 +0200 <b>{escape(r.who)} &lt;{link(r.addr)}' \
           f'&gt;</b> wrote ---<br></div><br><blockquote id="blockquote_zmail" style="margin: 0px;"><div>{brs(r.quoted)}</div></blockquote></div></div><br></body></html>'
    return alternative(r, f"{r.typed}\n\n\n\n\n\n{attribution}\n\n\n{r.quoted}\n", html)


def zimbra(r):
    keys = {"fr": ("De", "À", "Envoyé", "Objet"), "en": ("From", "To", "Sent", "Subject"), "de": ("Von", "An", "Gesendet", "Betreff")}[r.lang]
    values = (f'"{r.who}" <{r.addr}>', f'"{r.me}" <{r.mine}>', OUTLOOK[r.lang][4], r.subject)
    block = "<br>".join(f"<b>{key}: </b>{escape(value)}" for key, value in zip(keys, values))
    html = '<html><body><div style="font-family: arial, helvetica, sans-serif; font-size: 12pt; color: #000000">' + divs(r.typed) + \
           f'<div><br></div><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__">{block}<br></div><div><br></div>' \
           f'<div data-marker="__QUOTED_TEXT__">{brs(r.quoted)}</div></div></body></html>'
    plain = f"{r.typed}\n\n" + "\n".join(f"{key}: {value}" for key, value in zip(keys, values)) + f"\n\n{r.quoted}\n"
    return alternative(r, plain, html)


def open_xchange(r):
    """The attribution stands within the quotation."""
    html = f'<!doctype html><html><head><meta charset="UTF-8"></head><body>{divs(r.typed)}<div class="default-style"><br></div><blockquote type="cite">' \
           f'<div>{escape(r.who)} &lt;{link(r.addr)}&gt; hat am 28.05.2026 22:26 CEST geschrieben:</div><div><br></div><div><br></div><div>{brs(r.quoted)}</div></blockquote></body></html>'
    plain = f"{r.typed}\n\n> {r.who} <{r.addr}> hat am 28.05.2026 22:26 CEST geschrieben:\n> \n>  \n{quoted_plain(r.quoted)}\n"
    return alternative(r, plain, html)


def fastmail(r):
    html = f'<!DOCTYPE html><html><head><title></title></head><body>{divs(r.typed)}<div><br></div><div>On Thu, May 28, 2026, at 10:26 PM, {escape(r.who)} wrote:</div>' \
           f'<blockquote type="cite" id="qt" style=""><div>{brs(r.quoted)}</div></blockquote><div><br></div></body></html>'
    plain = f"{r.typed}\n\nOn Thu, May 28, 2026, at 10:26 PM, {r.who} wrote:\n{quoted_plain(r.quoted)}\n"
    return alternative(r, plain, html)


def horde(r):
    words = {"de": "Zitat von", "en": "Quoting", "es": "Quoting"}[r.lang]
    return only_plain(r, f"{r.typed}\n\n{words} {r.who} <{r.addr}>:\n\n{quoted_plain(r.quoted)}\n\n\n", "; format=flowed; DelSp=Yes")


def squirrel(r):
    return only_plain(r, f"{r.typed}\n\n{quoted_plain(r.quoted)}\n>\n\n")


# --- mobile

def spark(r):
    html = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title></title></head><body><div name="messageBodySection"><div dir="auto">' + brs(r.typed, "<br />") + \
           '</div></div><div name="messageSignatureSection"><br /><div class="matchFont">Sent with <a href="https://sparkmailapp.com/source?from=signature">Spark</a></div></div>' \
           f'<div name="messageReplySection">On 28 May 2026 at 22:26 +0200, {escape(r.who)} &lt;{r.addr}&gt;, wrote:<br /><blockquote type="cite" style="border-left-color: ' \
           f'grey; border-left-width: thin; border-left-style: solid; margin: 5px 5px;padding-left: 10px;">{brs(r.quoted, "<br />")}</blockquote></div></body></html>'
    plain = f"{r.typed}\n\nSent with Spark\nOn 28 May 2026 at 22:26 +0200, {r.who} <{r.addr}>, wrote:\n{quoted_plain(r.quoted)}\n"
    return alternative(r, plain, html)


SAMSUNG = {"en": ("Sent from my Galaxy", "Original message", ("From", "Date", "To", "Subject")),
           "de": ("Von meinem Galaxy gesendet", "Ursprüngliche Nachricht", ("Von", "Datum", "An", "Betreff")),
           "es": ("Enviado desde mi Galaxy", "Mensaje original", ("De", "Fecha", "Para", "Asunto")),
           "it": ("Inviato dal mio Galaxy", "Messaggio originale", ("Da", "Data", "A", "Oggetto")),
           "pl": ("Wysłano z urządzenia Galaxy", "Oryginalna wiadomość", ("Od", "Data", "Do", "Temat")),
           "ko": ("나의 Galaxy에서 보냄", "원본 이메일", ("발신", "날짜", "수신", "제목"))}


def samsung(r):
    foot, caption, keys = SAMSUNG[r.lang]
    block = list(zip(keys, (f"{r.who} <{r.addr}>", "28/05/2026  22:26  (GMT+01:00)", f"{r.me} <{r.mine}>", r.subject)))
    html = '<html><head><meta http-equiv="Content-Type" content="text/html; charset=UTF-8"></head><body dir="auto">' + divs(r.typed, "div", ' dir="auto"') + \
           f'<div dir="auto"><br></div><div dir="auto"><br></div><div id="composer_signature" dir="auto"><div style="font-size:12px;color:#575757" dir="auto">{foot}</div></div>' \
           f'<div dir="auto"><br></div><div><br></div><div align="left" dir="auto" style="font-size:100%;color:#000000"><div>-------- {caption} --------</div>' + \
           "".join(f"<div>{key}: {escape(value)} </div>" for key, value in block) + f"<div><br></div></div><div>{brs(r.quoted)}</div></body></html>"
    plain = f"{r.typed}\n\n\n{foot}\n\n\n-------- {caption} --------\n" + "".join(f"{key}: {value} \n" for key, value in block) + f"\n{r.quoted}\n"
    return alternative(r, plain, html)


def bluemail(r):
    foot = 'Get <a href="https://bluemail.me/download/">BlueMail for Desktop</a>'
    html = f'<html><head></head><body><div dir="auto">{divs(r.typed)}</div><div dir="auto"><br></div><div dir="auto"><!-- tmjah_g_1299s -->{foot}<!-- tmjah_g_1299e --></div>' \
           f'<div class="gmail_quote">On May 28, 2026, at 22:26, {escape(r.who)} &lt;<a href="mailto:{r.addr}" target="_blank">{r.addr}</a>&gt; wrote:<blockquote class="gmail_quote" ' \
           f'style="margin: 0pt 0pt 0pt 0.8ex; border-left: 1px solid rgb(204, 204, 204); padding-left: 1ex;">\n<pre class="blue">{escape(r.quoted)}</pre></blockquote></div></body></html>'
    plain = f"{r.typed}\n\nGet BlueMail for Desktop\n\nOn May 28, 2026, at 22:26, {r.who} <{r.addr}> wrote:\n\n{quoted_plain(r.quoted, '>')}\n"
    return alternative(r, plain, html)


K9 = {"de": ('Am 28. Mai 2026 22:26:40 MESZ schrieb "{who}" <{addr}>:', "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet."),
      "en": ('On May 28, 2026 10:26:40 PM GMT+02:00, "{who}" <{addr}> wrote:', "Sent from my Android device with K-9 Mail. Please excuse my brevity."),
      "fr": ('Le 28 mai 2026 22:26:40 GMT+02:00, "{who}" <{addr}> a écrit :', "Envoyé de mon appareil Android avec Courriel K-9 Mail. Veuillez excuser ma brièveté."),
      "sv": ('Den 28 maj 2026 22:26:40 CEST skrev "{who}" <{addr}>:', "Skickat från min Android-enhet med K-9 Mail. Ursäkta min fåordighet.")}


def k9(r):
    """Signature above the quotation."""
    attribution, foot = K9[r.lang]
    return only_plain(r, f"{r.typed}\n-- \n{foot}\n\n{attribution.format(who=r.who, addr=r.addr)}\n{quoted_plain(r.quoted, '>')}\n")


def k9_below(r):
    attribution, foot = K9[r.lang]
    return only_plain(r, f"{attribution.format(who=r.who, addr=r.addr)}\n{quoted_plain(r.quoted, '>')}\n\n{r.typed}\n\n-- \n{foot}\n")


def mailspring(r):
    html = f'<div>{divs(r.typed)}</div><br><div class="gmail_quote_attribution">On May 28 2026, at 10:26 pm, {escape(r.who)} &lt;{r.addr}&gt; wrote:</div>' \
           f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex;">{brs(r.quoted)}</blockquote>'
    return only_html(r, html)


def em_client(r):
    block = [("From", f'"{r.who}" <{r.addr}>'), ("To", f'"{r.me}" <{r.mine}>'), ("Date", "28/05/2026 22:26:40"), ("Subject", r.subject)]
    html = f'<html><head><style id="css_styles" type="text/css"><!--blockquote.cite {{ margin-left: 5px; }}--></style></head><body>{divs(r.typed)}<div><br></div>' \
           "<div>------ Original Message ------</div>" + "".join(f"<div>{key} {escape(value)}</div>" for key, value in block) + \
           f'<div><br></div><div id="x1a2b3" class="plain"><blockquote cite="ump.x@msgs.test" type="cite" class="cite2"><div class="plain_line">{brs(r.quoted)}</div></blockquote></div></body></html>'
    plain = f"{r.typed}\n\n------ Original Message ------\n" + "".join(f"{key} {value}\n" for key, value in block) + f"\n{quoted_plain(r.quoted, '>')}\n"
    return alternative(r, plain, html)


# --- desktop programs of the Unix world

def evolution(r):
    html = f'<html><head></head><body>{divs(r.typed)}<div><br></div><div>On Thu, 2026-05-28 at 22:26 +0200, {escape(r.who)} wrote:</div><blockquote type="cite" ' \
           f'style="margin:0 0 0 .8ex; border-left:2px #729fcf solid;padding-left:1ex">{divs(r.quoted)}</blockquote><div><br></div><div><span></span></div></body></html>'
    return alternative(r, f"{r.typed}\n\nOn Thu, 2026-05-28 at 22:26 +0200, {r.who} wrote:\n{quoted_plain(r.quoted)}\n\n", html)


def claws(r, below=False):
    quote = f"On Thu, 28 May 2026 20:26:40 +0000\n\"{r.who}\" <{r.addr}> wrote:\n\n{quoted_plain(r.quoted)}\n"
    return only_plain(r, f"{quote}\n{r.typed}\n" if below else f"{r.typed}\n\n{quote}")


def gnus(r, citation=None):
    return only_plain(r, f'"{r.who}" <{r.addr}> writes:\n\n{quoted_plain(r.quoted)}\n\n{r.typed}\n\n-- \n{r.signature}\n')


def supercite(r):
    """Initials before each quoted line."""
    return only_plain(r, f'>>>>> "Bob" == {r.who} <{r.addr}> writes:\n\n{quoted_plain(r.quoted, "    Bob> ")}\n\n{r.typed}\n')


def notes(r):
    block = [("Von", f"{r.who} <{r.addr}>"), ("An", f"{r.me} <{r.mine}>"), ("Datum", "28.05.2026 22:26"), ("Betreff", r.subject)]
    rows = "".join(f'<tr><td width=90><font size=1 color=#5f5f5f face="sans-serif">{key}:</font><td><font size=1 face="sans-serif">{escape(value)}</font>' for key, value in block)
    html = f'<font size=2 face="sans-serif">{brs(r.typed)}</font><br><br><br><table width=100%>{rows}</table><br><hr noshade><br><br><br><tt><font size=2>{brs(r.quoted)}</font></tt><br>'
    plain = f"{r.typed}\n\n\n\n" + "".join(f"{key + ':':<9}{value}\n" for key, value in block) + f"\n\n\n{r.quoted}\n"
    return alternative(r, plain, html)
